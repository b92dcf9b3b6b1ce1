"""Training transforms: dict -> dict, each a random draw followed by a pure function.

Keys of the dict: `img` RGB [h, w, 3], uint8 or float32 in 0..255 (never normalised: the model's data preprocessor does
that); `maps`, name -> `common.artifacts.Map`, all that goes with the image; `tags` float32 [C - 1]; `id`; `rng`, a
`random.Random` that depends on (seed, epoch, id) alone, so that the number of workers changes nothing. "Zeros after
normalisation" is a container filled with the mean colour before it (`pad`). Draws follow the order of the released
codes. A transform that moves pixels of the image moves those of the maps by `follow` or `scale_maps`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.registry import TRANSFORMS
from mmseg.structures import SegDataSample

from common.artifacts import Map
from common.base import compat  # noqa: F401  (before anything from mmseg)
from common.base.constants import IMAGENET_MEAN
from common.inference.inputs import resize_map
from common.ops.colour import adjust_color, shift_hsv
from common.ops.crop import CropBox, crop_into, draw_crop_box, mirror, pad_crop
from common.ops.resize import (
    rescale_image,
    rescale_label,
    resize_values,
    scale_cubic,
    scale_image_bilinear,
    scale_image_torch,
    scale_label_floor,
    scale_label_truncated,
    scale_nearest,
    scale_to_long,
    squash_image,
)

Results = dict[str, Any]


class Transform:
    """A callable on the results dict; `repr` shows its arguments."""

    def __call__(self, results: Results) -> Results:
        raise NotImplementedError

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in vars(self).items())
        return f"{type(self).__name__}({arguments})"


def follow(results: Results, move: Callable[[Map], np.ndarray]) -> None:
    """Replace the values of every map that follows the image by those that `move` makes of the map."""
    maps = results.get("maps", {})
    results["maps"] = {name: replace(m, values=move(m)) if m.follow else m for name, m in maps.items()}


def scale_maps(results: Results, scale_label: Callable[[np.ndarray, float], np.ndarray], scale: float) -> None:
    """Scale the maps of an image that is scaled already: labels by its rule for them, others to the image's size."""
    size = results["img"].shape[:2]
    follow(results, lambda m: scale_label(m.values, scale) if m.resize == "nearest" else resize_values(m.values, size))


@TRANSFORMS.register_module()
class ResizeLong(Transform):
    """The longer side becomes a uniform integer of [low, high], both ends included (psa, IRNet)."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def draw(self, rng: random.Random) -> int:
        """Target of the longer side, pixels."""
        return rng.randint(self.low, self.high)

    def __call__(self, results: Results) -> Results:
        scale = scale_to_long(results["img"], self.draw(results["rng"]))
        results["img"] = rescale_image(results["img"], scale)
        scale_maps(results, rescale_label, scale)
        return results


@TRANSFORMS.register_module()
class RandomRescale(Transform):
    """Both sides times a uniform factor of [low, high) (IRNet): sizes rounded, image PIL bicubic, labels PIL nearest.

    Other codes scale by other rules: a subclass names its own `scale_image` and `scale_label`.
    """

    scale_image, scale_label = staticmethod(rescale_image), staticmethod(rescale_label)

    def __init__(self, low: float = 0.5, high: float = 1.5) -> None:
        self.low, self.high = low, high

    def draw(self, rng: random.Random) -> float:
        """The factor."""
        return rng.uniform(self.low, self.high)

    def __call__(self, results: Results) -> Results:
        scale = self.draw(results["rng"])
        results["img"] = self.scale_image(results["img"], scale)
        scale_maps(results, self.scale_label, scale)
        return results


@TRANSFORMS.register_module()
class RandomScaleChoice(Transform):
    """Both sides times one of `scales` (DeepLab v2): sizes truncated, image cv2 bilinear, label PIL nearest."""

    def __init__(self, scales: Sequence[float] = (0.5, 0.75, 1.0, 1.25, 1.5)) -> None:
        self.scales = tuple(scales)

    def draw(self, rng: random.Random) -> float:
        """The factor."""
        return rng.choice(self.scales)

    def __call__(self, results: Results) -> Results:
        scale = self.draw(results["rng"])
        results["img"] = scale_image_bilinear(results["img"], scale)
        scale_maps(results, scale_label_truncated, scale)
        return results


@TRANSFORMS.register_module()
class RandomScaleRange(RandomRescale):
    """Both sides times a uniform factor (DMT): sizes truncated, image and labels as torch does it."""

    scale_image, scale_label = staticmethod(scale_image_torch), staticmethod(scale_label_floor)


@TRANSFORMS.register_module()
class Squash(Transform):
    """Both sides become (height, width), whatever the shape of the photo (DRS, Group-WSSS, LIID): PIL bilinear, labels
    PIL nearest.
    """

    def __init__(self, height: int, width: int) -> None:
        self.size = (height, width)

    def __call__(self, results: Results) -> Results:
        results["img"] = squash_image(results["img"], self.size)
        follow(results, lambda m: resize_map(m, self.size))
        results["maps"] = {name: replace(m, squashed=False) for name, m in results.get("maps", {}).items()}
        return results


@TRANSFORMS.register_module(name="RandomMirror")
class RandomFlip(Transform):
    """Left-right with probability `prob`; one random bit where it is a half, as in the psa family.

    Registered as `RandomMirror`, because mmcv's RandomFlip, which does not draw from `rng`, has the other name.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def draw(self, rng: random.Random) -> bool:
        """Whether to mirror."""
        return bool(rng.getrandbits(1)) if self.prob == 0.5 else rng.random() < self.prob

    def __call__(self, results: Results) -> Results:
        if self.draw(results["rng"]):
            results["img"] = mirror(results["img"])
            follow(results, lambda m: mirror(m.values))
        return results


@TRANSFORMS.register_module(name="RandomColorJitter")
class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue in random order, as torchvision's ColorJitter (psa)."""

    def __init__(
        self, brightness: float = 0.3, contrast: float = 0.3, saturation: float = 0.3, hue: float = 0.1
    ) -> None:
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue

    def draw(self, rng: random.Random) -> list[tuple[str, float]]:
        """(name, factor) in the order in which they are applied; the hue shift is a fraction of the circle."""
        factors = [
            (name, rng.uniform(max(0.0, 1 - amount), 1 + amount))
            for name in ("brightness", "contrast", "saturation")
            if (amount := getattr(self, name))
        ]
        if self.hue:
            factors.append(("hue", rng.uniform(-self.hue, self.hue)))
        rng.shuffle(factors)
        return factors

    def __call__(self, results: Results) -> Results:
        results["img"] = adjust_color(results["img"], self.draw(results["rng"]))
        return results


@TRANSFORMS.register_module(name="RandomCropContainer")
class RandomCrop(Transform):
    """Random crop; a smaller image lands at a random place of a container of the colour `pad` (psa, IRNet)."""

    def __init__(self, size: int, pad: Sequence[float] = IMAGENET_MEAN) -> None:
        self.size, self.pad = size, tuple(pad)

    def draw(self, rng: random.Random, size: Sequence[int]) -> CropBox:
        """The box for an image of `size` (h, w)."""
        return draw_crop_box(rng, size, self.size)

    def __call__(self, results: Results) -> Results:
        box = self.draw(results["rng"], results["img"].shape)
        results["img"] = crop_into(results["img"], box, self.size, self.pad)
        follow(results, lambda m: crop_into(m.values, box, self.size, m.pad))
        return results


@TRANSFORMS.register_module()
class MeanPadCrop(Transform):
    """DeepLab v2: pad the bottom and right with the mean colour (labels: 255), then crop at a uniform place."""

    def __init__(self, size: int, pad: Sequence[float]) -> None:
        self.size, self.pad = size, tuple(pad)

    def draw(self, rng: random.Random, size: Sequence[int]) -> tuple[int, int]:
        """(top, left) of the crop in the padded image of an image of `size` (h, w)."""
        top = rng.randint(0, max(size[0] - self.size, 0))
        return top, rng.randint(0, max(size[1] - self.size, 0))

    def __call__(self, results: Results) -> Results:
        start = self.draw(results["rng"], results["img"].shape)
        results["img"] = pad_crop(results["img"], start, self.size, self.pad)
        follow(results, lambda m: pad_crop(m.values, start, self.size, m.pad))
        return results


@TRANSFORMS.register_module()
class Pack(Transform):
    """inputs: tensor [3, h, w], RGB 0..255; data_samples: SegDataSample, where tags are read with `tags` float32 [C-1].

    The sample holds every map under its name, whole numbers as int64, others as float32: as PixelData [1, h', w'] or
    [c, h', w'] those that follow the image, as a tensor of their own shape the others. The meta information `strong`
    says whether the labels are a ground-truth mask.
    """

    def __call__(self, results: Results) -> Results:
        image = torch.from_numpy(np.ascontiguousarray(results["img"].transpose(2, 0, 1)))
        sample = SegDataSample(
            metainfo={
                "id": results["id"],
                "img_path": results.get("img_path"),
                "ori_shape": results.get("ori_shape", results["img"].shape[:2]),
                "img_shape": results["img"].shape[:2],
                "strong": results.get("strong", False),
            }
        )
        if "tags" in results:
            sample.tags = torch.as_tensor(results["tags"], dtype=torch.float32)
        for name, m in results.get("maps", {}).items():
            values = torch.from_numpy(m.packed())
            setattr(sample, name, PixelData(data=values) if m.follow else values)
        return {"inputs": image, "data_samples": sample}


@TRANSFORMS.register_module()
class RandomHSVShift(Transform):
    """Hue, saturation and value each plus a uniform integer of [-amount, amount]; see `shift_hsv`."""

    def __init__(self, hue: int = 10, saturation: int = 10, value: int = 10) -> None:
        self.hue, self.saturation, self.value = hue, saturation, value

    def draw(self, rng: random.Random) -> tuple[int, int, int]:
        """The three shifts."""
        hue, saturation, value = (rng.randint(-n, n) for n in (self.hue, self.saturation, self.value))
        return hue, saturation, value

    def __call__(self, results: Results) -> Results:
        results["img"] = shift_hsv(results["img"], self.draw(results["rng"]))
        return results


@TRANSFORMS.register_module()
class RandomScaleCubic(RandomRescale):
    """Both sides times a uniform factor (SEAM): sizes rounded, image cv2 cubic, labels cv2 nearest."""

    scale_image, scale_label = staticmethod(scale_cubic), staticmethod(scale_nearest)
