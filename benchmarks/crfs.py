"""Two label maps refined on one lattice, against a CRF for each; and the present labels alone, against all 21."""

from __future__ import annotations

import numpy as np

from benchmarks.result import Result, seconds
from common.ops.crf import crf_label_maps, crf_labels
from common.ops.crf_params import CRFParams

IRN = CRFParams(iterations=10, bilateral=(50, 5, 10), gaussian=(3, 3))


def scene(full: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A photo-like image [h, w, 3] and two label maps of background and two classes."""
    height, width = (375, 500) if full else (188, 250)
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(0)
    one = (y - height / 2) ** 2 + (x - width / 3) ** 2 < (height / 4) ** 2
    other = abs(x - 0.75 * width) + abs(y - height / 2) < height / 4
    base = 60 + 90 * one + 60 * other
    image = (base[..., None] + rng.integers(0, 20, (height, width, 3))).astype(np.uint8)
    label = (one + 2 * other).astype(np.uint8)
    return image, label, np.roll(label, 6, axis=1)


def shared_lattice(full: bool) -> Result:
    """IRNet's confident labels: the foreground and the background map of one image."""
    image, first, second = scene(full)
    ours, together = seconds(lambda: crf_label_maps(image, [first, second], IRN, 3))
    original, one_by_one = seconds(lambda: [crf_labels(image, first, IRN, 3), crf_labels(image, second, IRN, 3)])
    different = sum(int((a != b).sum()) for a, b in zip(together, one_by_one, strict=True))
    return Result(original, ours, f"{different} labels differ", f"two maps, image {_size(image)}")


def present_labels(full: bool) -> Result:
    """One label map over the labels it holds, or over all 21."""
    image, label, _ = scene(full)
    ours, present = seconds(lambda: crf_labels(image, label, IRN))
    original, every = seconds(lambda: crf_labels(image, label, IRN, 21))
    share = float((present != every).mean())
    note = f"3 of 21 labels, image {_size(image)}; another unary, so not the same posterior"
    return Result(original, ours, f"{share:.2%} of the labels differ", note)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[0]} x {image.shape[1]}"


BENCHMARKS = {"crf_shared_lattice": shared_lattice, "crf_present_labels": present_labels}
