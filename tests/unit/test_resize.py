"""Rules of resizing that no golden file of a network or transform holds."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from common.ops.resize import lanczos_image, resize_label, resize_maps_aligned, shrink_labels


def test_lanczos_is_pillows_and_leaves_a_size_that_fits() -> None:
    image = np.random.default_rng(0).integers(0, 256, (13, 18, 3), dtype=np.uint8)
    wanted = np.asarray(Image.fromarray(image).resize((5, 4), Image.Resampling.LANCZOS))
    assert (lanczos_image(image, (4, 5)) == wanted).all()
    assert lanczos_image(image, (13, 18)) is image


def test_aligned_corners_keep_the_outer_cells() -> None:
    maps = torch.tensor([[[0.0, 1.0], [2.0, 4.0]]])
    large = resize_maps_aligned(maps, (3, 5))
    assert large[0, [0, 0, -1, -1], [0, -1, 0, -1]].tolist() == [0, 1, 2, 4]
    assert large[0, 0].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert resize_maps_aligned(maps[:0], (3, 5)).shape == (0, 3, 5)
    assert torch.equal(resize_maps_aligned(maps, (2, 2)), maps)


def test_a_label_of_cells_survives_the_photos_size() -> None:
    """Enlarged to the photo and shrunk again, both by the nearest rule, it is itself, whatever the photo's size."""
    for height in range(1, 40):
        for width in (1, 2, 3, 4, 5, 37, 375):
            cells = np.random.default_rng(height).integers(0, 21, (-(-height // 4), -(-width // 4)), dtype=np.uint8)
            assert (shrink_labels(resize_label(cells, (height, width))) == cells).all()
