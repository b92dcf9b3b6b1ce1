"""Which device a run uses."""

from __future__ import annotations

import os

import torch

from common.base.errors import UserError


def pick_device(device: torch.device | str | None) -> torch.device:
    """`device`, or the GPU where there is one, otherwise the CPU; under torchrun the GPU of the local rank.

    Raises:
        UserError: the device is unknown or not there.
    """
    try:
        device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise UserError(f"Unknown device '{device}': use cpu, cuda or cuda:N.") from error
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"Device '{device}' is not supported: use cpu, cuda or cuda:N.")
    if device.type == "cpu":
        return device
    if not torch.cuda.is_available():
        raise UserError("CUDA was asked for, but torch sees no GPU: use --device cpu.")
    index = local_rank() if device.index is None else device.index
    if index >= torch.cuda.device_count():
        raise UserError(f"There is no GPU {index}: torch sees {torch.cuda.device_count()}.")
    torch.cuda.set_device(index)
    return torch.device("cuda", index)


def local_rank() -> int:
    """This process's number on its machine, as torchrun or SLURM counts, modulo the GPUs it sees under SLURM."""
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    return int(os.environ.get("SLURM_LOCALID", 0)) % torch.cuda.device_count()
