"""Strong-weak dual branch: golden files, made from the paper's description, that the shared pieces answer for."""

from __future__ import annotations

import numpy as np
import torch

from common.ops.losses import pixel_cross_entropy
from tests.parity.compare import close
from tests.parity.networks import rates_by_epoch

Golden = dict[str, np.ndarray]


def dual_loss(golden: Golden) -> None:
    """Each kind of images has a mean of its own, over its own output; no images of a kind give 0."""
    strong = torch.from_numpy(golden["is_strong"])
    label = torch.from_numpy(golden["label"])
    outputs = [torch.from_numpy(golden[f"{name}_logits"]).requires_grad_() for name in ("strong", "weak")]
    losses = [pixel_cross_entropy(x[own], label[own]) for x, own in zip(outputs, (strong, ~strong), strict=True)]
    total = losses[0] + float(golden["weak_weight"]) * losses[1]
    for name, loss in zip(("strong", "weak", "total"), (*losses, total), strict=True):
        close(loss, golden[f"loss_{name}"], 1e-5, what=f"loss_{name}")
    total.backward()
    for name, x in zip(("strong", "weak"), outputs, strict=True):
        close(x.grad, golden[f"grad_{name}"], 1e-5, what=f"grad_{name}")


def schedule(golden: Golden) -> None:
    """Adam's rates of the backbone and of the new layers, a tenth from the twelfth epoch (from 0)."""
    rates = rates_by_epoch({"type": "Adam", "lr": 5e-6}, (1, 1, 20, 20), milestones=[12], epochs=len(golden["epoch"]))
    close(rates[:, 0], golden["lr_backbone"], 1e-12, what="rates of the backbone")
    close(rates[:, 2], golden["lr_new"], 1e-12, what="rates of the new layers")


CASES = {"dual_loss": dual_loss, "schedule": schedule}
