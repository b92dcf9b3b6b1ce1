"""Files of tensors: whole or not there, free of code, equal bytes for equal tensors."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from common.base import compat  # noqa: F401
from common.base.errors import UserError
from common.base.files import atomic_path


def save_file(path: str | Path, value: Any) -> None:
    """`torch.save`, atomically. Written through a stream: the archive then does not carry the file's name."""
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        torch.save(value, stream)


def load_file(path: str | Path) -> Any:
    """`torch.load` onto the CPU, without running code of the file; a .safetensors file is read as what it is.

    Raises:
        UserError: the file is missing, truncated, or of a foreign kind.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            if path.suffix == ".safetensors":
                return _safetensors(stream.read())
            return torch.load(stream, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist: train the network first, or correct the path.") from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} is no checkpoint, or holds more than tensors and plain values: use a file of a trained network."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is truncated or no PyTorch file: delete it and make it again.") from error


def _safetensors(content: bytes) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def plain_state_dict(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Name -> contiguous CPU tensor with its own storage."""
    return plain_tensors((model.module if is_model_wrapper(model) else model).state_dict())


def plain_tensors(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors, contiguous on the CPU, each with its own storage."""
    return {key: value.detach().cpu().clone().contiguous() for key, value in state_dict.items()}


def first_not_finite(state_dict: Mapping[str, Tensor]) -> str | None:
    """Name of the first tensor that holds a NaN or an infinity; None if none does."""
    return next((key for key, value in state_dict.items() if not torch.isfinite(value).all()), None)


def read_state_dict(file: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint on the CPU, out of whatever wrapping released files use.

    Unwraps `state_dict`, `model_state`, `model` and a `module.` prefix of data parallel training.

    Raises:
        UserError: the file is missing, truncated, or holds more than tensors and plain containers.
    """
    content = load_file(file)
    for key in ("state_dict", "model_state", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not any(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{file} holds no state dict (named tensors): give a checkpoint of a network.")
    return {key.removeprefix("module."): value for key, value in content.items() if isinstance(value, Tensor)}


def save_weights(model: nn.Module, path: str | Path) -> Path:
    """Write the model's state dict, atomically, on the CPU."""
    save_file(path, plain_state_dict(model))
    return Path(path)
