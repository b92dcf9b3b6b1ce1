"""IRNet's inputs and optimiser: golden files that the shared engine answers for."""

from __future__ import annotations

import random

import numpy as np
import torch

from common.base.constants import IMAGENET_MEAN, IMAGENET_STD
from common.ops.crop import crop_into, draw_crop_box, pad_crop
from common.ops.resize import rescale_image, shrink_labels
from common.training.poly_sgd import PolySGD
from tests.parity.compare import close, equal

Golden = dict[str, np.ndarray]


def check_poly_sgd(golden: Golden) -> None:
    """Given gradients, learning rates of two groups and a parameter without gradient."""
    a, b, c = (torch.nn.Parameter(torch.from_numpy(golden[f"{name}0"].copy())) for name in "abc")
    first, second = golden["lr"][0].tolist()
    momentum = float(golden["momentum"])
    groups = [{"params": [a, c], "lr": first}, {"params": [b], "lr": second}]
    optimizer = PolySGD(
        groups, lr=first, max_step=int(golden["max_step"]), weight_decay=momentum, momentum=momentum, power=0.9
    )
    for step, (grad_a, grad_b) in enumerate(zip(golden["grad_a"], golden["grad_b"], strict=True)):
        a.grad, b.grad = torch.from_numpy(grad_a), torch.from_numpy(grad_b)
        optimizer.step()
        close([group["lr"] for group in optimizer.param_groups], golden["lr"][step], 1e-6, what=f"lr[{step}]")
        close(a, golden["a"][step], 1e-6, what=f"a[{step}]")
        close(b, golden["b"][step], 1e-6, what=f"b[{step}]")
    equal(c, golden["c_after"], "parameter without a gradient")


def check_rescale_image(golden: Golden) -> None:
    """PIL bicubic by the factors in the names."""
    for key in (key for key in golden if key.startswith("bicubic_")):
        scaled = rescale_image(golden["image"], float(key.removeprefix("bicubic_")))
        close(scaled, golden[key], rtol=0, atol=1, what=key)


def check_rescale_label_quarter(golden: Golden) -> None:
    """Nearest quarter of a label map, and the rows it reads."""
    stride = golden["label"].shape[0] // golden["quarter"].shape[0]
    equal(shrink_labels(golden["label"], stride), golden["quarter"], "quarter")
    rows = np.repeat(np.arange(golden["label"].shape[0], dtype=np.uint8)[:, None], golden["label"].shape[1], axis=1)
    equal(shrink_labels(rows, stride)[:, 0], golden["row_index"], "row_index")


def check_random_crop(golden: Golden) -> None:
    """Boxes drawn one after the other from one generator, and the crops."""
    rng, crop = random.Random(int(golden["seed"])), int(golden["crop"])
    for i, (height, width) in enumerate(golden["sizes"].tolist()):
        box = draw_crop_box(rng, (height, width), crop)
        equal(box, golden["boxes"][i], f"boxes[{i}]")
        numbers = np.arange(1, height * width + 1, dtype=np.int32).reshape(height, width)
        equal(crop_into(numbers, box, crop, 0), golden["crop_id"][i], f"crop_id[{i}]")


def check_top_left_crop(golden: Golden) -> None:
    """The mean-coloured container, normalised, is the zero container of the normalised image (48 x 48)."""
    image = golden["image"]

    def normalise(pixels: np.ndarray) -> np.ndarray:
        return (pixels - np.float32(IMAGENET_MEAN)) / np.float32(IMAGENET_STD)

    step = -(-image.shape[0] // golden["normalised_sub"].shape[0])
    close(normalise(image)[::step, ::step], golden["normalised_sub"], 1e-4, what="normalised_sub")
    crop = normalise(pad_crop(image, (0, 0), 48, IMAGENET_MEAN))
    close(crop.sum((0, 1)), golden["crop_sum"], 1e-4, atol=1e-2, what="crop_sum")
    corner = golden["crop_corner"]
    windows = np.lib.stride_tricks.sliding_window_view(crop, corner.shape)
    error = np.abs(windows - corner).max(axis=(-3, -2, -1)).min()
    assert error <= 1e-4, f"crop_corner: no window of the crop is closer than {error:.3g}"


CASES = {
    "poly_sgd": check_poly_sgd,
    "rescale_image": check_rescale_image,
    "rescale_label_quarter": check_rescale_label_quarter,
    "random_crop": check_random_crop,
    "top_left_crop": check_top_left_crop,
}
