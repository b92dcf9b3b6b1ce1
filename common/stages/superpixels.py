"""Superpixels of photos."""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from common.artifacts import IdMaps
from common.pipeline import Count, Image, PerImage, Positive, Range, Run, per_image

Sigma = Annotated[float, Range(0)]


def felzenszwalb(
    run: Run,
    split: str,
    k: Positive,
    min_size: Count,
    sigma: Sigma = 0.8,
    scale: Positive = 1.0,
    longest: Count | None = None,
) -> PerImage[IdMaps]:
    """Superpixels by Felzenszwalb and Huttenlocher; k, min_size, sigma: see `common.ops.superpixels.felzenszwalb`.

    scale: the photo is segmented at so many times its size; longest: of its sides then, at most, so that a large photo
    is shrunk. The regions have the photo's own size.
    """
    from common.ops.superpixels import felzenszwalb as segmented

    def segments(image: Image) -> np.ndarray:
        return _at_scale(image, scale, longest, lambda photo: segmented(photo, k, min_size, sigma))

    return per_image(segments, split=split)


def slic(
    run: Run,
    split: str,
    count: Count,
    compactness: Positive = 10.0,
    sigma: Sigma = 0.0,
    scale: Positive = 1.0,
    longest: Count | None = None,
) -> PerImage[IdMaps]:
    """Superpixels by SLIC, about `count` of them; see `common.ops.superpixels.slic`.

    scale, longest: as of `felzenszwalb`.
    """
    from common.ops.superpixels import slic as segmented

    def segments(image: Image) -> np.ndarray:
        return _at_scale(image, scale, longest, lambda photo: segmented(photo, count, compactness, sigma))

    return per_image(segments, split=split)


def _at_scale(
    image: Image, scale: float, longest: int | None, segment: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    from common.ops.superpixels import at_size, enlarged_photo, fitting_scale

    factor = fitting_scale(image.size, scale, longest)
    found = segment(enlarged_photo(image.pixels, factor))
    return found if factor == 1 else at_size(found, image.size)
