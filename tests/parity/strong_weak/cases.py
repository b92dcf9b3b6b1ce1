"""Strong-Weak: golden files made from the paper's description, and the public functions they are compared with."""

from __future__ import annotations

import numpy as np
import torch

from methods.strong_weak.losses import dual_loss as loss_of
from methods.strong_weak.model import DualBranchHead
from tests.parity.compare import close
from tests.parity.networks import rates_by_epoch

Golden = dict[str, np.ndarray]


def dual_loss(golden: Golden) -> None:
    """Each kind of images has a mean of its own, over its own output; no images of a kind give 0."""
    strong, label = torch.from_numpy(golden["is_strong"]), torch.from_numpy(golden["label"])
    own, other = (torch.from_numpy(golden[f"{name}_logits"]).requires_grad_() for name in ("strong", "weak"))
    terms = loss_of(own[strong], other[~strong], label, strong, float(golden["weak_weight"]))
    for name in ("strong", "weak", "total"):
        close(terms[name], golden[f"loss_{name}"], 1e-5, what=f"loss_{name}")
    terms["total"].backward()
    for name, x in (("strong", own), ("weak", other)):
        close(x.grad, golden[f"grad_{name}"], 1e-5, what=f"grad_{name}")


@torch.no_grad()
def dual_head(golden: Golden) -> None:
    """The neck, both branches (here bare classifiers), and what the test sees: the strong one, enlarged."""
    feature, neck = torch.from_numpy(golden["feature"]), int(golden["n_neck"])
    classes, width = golden["strong_weight"].shape[:2]
    head = DualBranchHead(feature.shape[1], classes, width, neck=neck, layers=0, align_corners=False)
    names = {f"neck.{i}.conv": f"neck{i}" for i in range(neck)}
    names |= {"branch.classifier": "strong", "weak.classifier": "weak"}
    state = {
        f"{ours}.{part}": torch.from_numpy(golden[f"{theirs}_{part}"])
        for ours, theirs in names.items()
        for part in ("weight", "bias")
    }
    head.load_state_dict(state, strict=True)
    shared = head.shared([feature])
    close(shared, golden["shared"], 1e-5, what="shared")
    for name, logits in (("strong", head([feature])), ("weak", head.weak(shared))):
        close(logits, golden[f"{name}_logits"], 1e-5, what=f"{name} logits")
        close(
            head.enlarged(logits, golden["size"].tolist()), golden[f"{name}_upsampled"], 1e-5, what=f"{name} enlarged"
        )


def schedule(golden: Golden) -> None:
    """Adam's rates of the backbone and of the new layers, a tenth from the twelfth epoch (from 0)."""
    rates = rates_by_epoch({"type": "Adam", "lr": 5e-6}, (1, 1, 20, 20), milestones=[12], epochs=len(golden["epoch"]))
    close(rates[:, 0], golden["lr_backbone"], 1e-12, what="rates of the backbone")
    close(rates[:, 2], golden["lr_new"], 1e-12, what="rates of the new layers")


CASES = {"dual_head": dual_head, "dual_loss": dual_loss, "schedule": schedule}
