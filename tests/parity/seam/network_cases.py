"""SEAM's network, pixel correlation, losses and training step against the authors' code."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

import methods.seam.model  # noqa: F401  (registers SEAM)
from methods.seam.correlation import PixelCorrelation, suppress_non_maximal, to_grid
from methods.seam.losses import adaptive_min_pooling_loss, keep_largest, max_norm, seam_losses, shrink
from methods.seam.model import SEAM
from methods.seam.released import convert_seam
from tests.parity.compare import close, equal, shapes
from tests.parity.fill import fill_tensor
from tests.parity.networks import RGB, blank, check_training, filled, images, loaded, tagged, without_dropout

Golden = dict[str, np.ndarray]
RESNET38 = {"type": "SEAM", "backbone": {"type": "ResNet38", "out_indices": (1, 2, 3)}, "num_classes": 20}
NAMES = {"head.": "fc8.", "pcm.reduce.0.": "f8_3.", "pcm.reduce.1.": "f8_4.", "pcm.embed.": "f9.", "backbone.": ""}


def seam(golden: Golden) -> SEAM:
    """The network with made-up weights under the authors' names."""
    model = blank(RESNET38, RGB)
    named = shapes(golden) if "keys" in golden else _authors_shapes(model)
    return loaded(model, convert_seam(filled(named, golden)))


def _authors_shapes(model: SEAM) -> dict[str, tuple[int, ...]]:
    """For files without `keys`."""
    state = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    return {theirs + key.removeprefix(ours): shape for key, shape in state.items() for ours, theirs in NAMES.items()
            if key.startswith(ours)}  # fmt: skip


@torch.no_grad()
def net_seam(golden: Golden) -> None:
    """Raw and refined maps at the size of the input."""
    model, step = seam(golden), int(golden["stride"])
    raw, refined = model(model.normalize(images(golden["image_hw"], golden["image_seed"])))
    close(raw[..., ::step, ::step], golden["cam"], 1e-3, 1e-4, what="raw maps")
    close(refined[..., ::step, ::step], golden["cam_refined"], 1e-3, 1e-4, what="refined maps")


def train_seam(golden: Golden) -> None:
    """Losses, gradients and groups of a training step."""
    model = without_dropout(seam(golden))
    x = model.normalize(images(golden["image_hw"], *golden["image_seeds"]))
    terms = model(x, [tagged(tags) for tags in golden["label"]], mode="loss")
    terms["loss"].backward()
    check_losses(terms, golden, 2e-3)
    check_training(model, golden, convert_seam, new=("head", "pcm"))
    rows = model.head.weight.grad.double().flatten(1).norm(dim=1)
    close(rows, golden["fc8_row_grad_norm"], 2e-3, what="gradient of each row of the classifier")


def check_losses(terms: dict[str, Tensor], golden: Golden, rtol: float) -> None:
    """All terms and the total, under the authors' names."""
    close(terms["cls"] + terms["min"], golden["loss_cls"], rtol, what="loss_cls")
    names = {"loss": "loss", "er": "loss_er", "ecr": "loss_ecr"}
    names |= {f"{ours}{view}": f"loss_{theirs}{view}" for ours, theirs in
              {"cls": "cls", "min": "rvmin", "ecr": "ecr"}.items() for view in (1, 2)}  # fmt: skip
    for ours, theirs in names.items():
        close(terms[ours], golden[theirs], rtol, what=theirs)


def loss_block(golden: Golden) -> None:
    """All terms for given maps, their gradients, and the small view."""
    image = torch.from_numpy(golden["image"])
    small = shrink(image)
    equal(small.shape[-2:], golden["small_hw"], "size of the small view")
    close(small[..., ::2, ::2], golden["img2_stride2"], 1e-5, what="small view")
    names = ("cam1", "refined1", "cam2", "refined2")
    leaves = [torch.from_numpy(golden[f"{name}_low"]).requires_grad_() for name in names]
    views = (image, image, small, small)
    maps = (to_grid(leaf, tuple(view.shape[-2:])) for leaf, view in zip(leaves, views, strict=True))
    terms = seam_losses(*maps, torch.from_numpy(golden["label"]))
    terms["loss"].backward()
    check_losses(terms, golden, 1e-5)
    for name, leaf in zip(names, leaves, strict=True):
        close(leaf.grad, golden[f"grad_{name}"], 1e-3, what=f"gradient of {name}")


def pcm(golden: Golden) -> None:
    """The correlation of given maps and features, and the gradient of the features."""
    maps, features = torch.from_numpy(golden["cam"]), torch.from_numpy(golden["f"]).requires_grad_()
    module = correlation()
    refined = module(maps, features)
    close(refined, golden["out"], 1e-5, what="refined maps")
    refined.backward(torch.from_numpy(golden["grad_out"]))
    close(features.grad, golden["grad_f"], 1e-5, what="gradient of the features")


def correlation() -> PixelCorrelation:
    """The module with made-up weights."""
    module = PixelCorrelation((512, 1024))
    layers = {"f8_3": module.reduce[0], "f8_4": module.reduce[1], "f9": module.embed}
    for name, layer in layers.items():
        layer.weight.data = torch.from_numpy(fill_tensor(f"{name}.weight", tuple(layer.weight.shape)))
    return module


def pcm_head(golden: Golden) -> None:
    """Normalised and refined maps of given taps, and the gradients of the three convolutions."""
    seed, size = int(golden["seed"]), golden["image_hw"].tolist()
    raw = torch.from_numpy(golden["cam_logits"]).requires_grad_()
    count, classes, *grid = raw.shape

    def noise(number: int, *shape: int) -> Tensor:
        values = np.random.RandomState(100 * seed + number).standard_normal((count, *shape))
        return torch.from_numpy(values.astype(np.float32))

    taps, image = [noise(4, 512, *grid).relu(), noise(5, 1024, *grid).relu()], noise(6, 3, *size)
    module, maps = correlation(), suppress_non_maximal(raw)
    refined = module(maps, module.features(image, taps, tuple(grid)))
    close(maps, golden["cam_normalised"], 1e-5, what="normalised maps")
    close(refined, golden["pcm_out"], 1e-5, what="refined maps")
    outputs = [to_grid(x, tuple(size)) for x in (raw, refined)]
    for output, key in zip(outputs, ("cam_up_stride5", "cam_refined_stride5"), strict=True):
        close(output[..., ::5, ::5], golden[key], 1e-5, what=key)
    (outputs[1] * noise(7, classes, *size)).sum().backward()
    assert (raw.grad is None) == bool(golden["grad_cam_is_none"])
    for name, layer in (("f8_3", module.reduce[0]), ("f8_4", module.reduce[1]), ("f9", module.embed)):
        close(layer.weight.grad.double().norm(), golden[f"grad_{name}_norm"], 1e-5, what=f"gradient of {name}")
    close(module.embed.weight.grad[::16, ::16, 0, 0], golden["grad_f9_every16"], 1e-4, what="gradient of f9")


def check_max_norm(golden: Golden) -> None:
    """Normalised maps and their gradient."""
    maps = torch.from_numpy(golden["p"]).requires_grad_()
    out = max_norm(maps)
    close(out, golden["out"], 1e-5, what="normalised maps")
    out.backward(torch.from_numpy(golden["grad_out"]))
    close(maps.grad, golden["grad"], 1e-3, what="gradient")


def adaptive_min_pooling(golden: Golden) -> None:
    """The loss and its gradient."""
    x = torch.from_numpy(golden["x"]).requires_grad_()
    loss = adaptive_min_pooling_loss(x)
    loss.backward()
    close(loss, golden["loss"], 1e-6, what="loss")
    close(x.grad, golden["grad"], 1e-6, what="gradient")


def check_keep_largest(golden: Golden) -> None:
    """The largest class of each pixel."""
    equal(keep_largest(torch.from_numpy(golden["x"])), golden["out"], "maps")


def downscale_sizes(golden: Golden) -> None:
    """Sides of the second view."""
    for side, *small in golden["side_h_w"].tolist():
        equal(shrink(torch.zeros(1, 1, side, side)).shape[-2:], small, f"side {side}")


CASES = {
    "adaptive_min_pooling": adaptive_min_pooling,
    "downscale_sizes": downscale_sizes,
    "keep_largest": check_keep_largest,
    "loss_block": loss_block,
    "max_norm": check_max_norm,
    "net_seam": net_seam,
    "pcm": pcm,
    "pcm_head": pcm_head,
    "train_seam": train_seam,
}
