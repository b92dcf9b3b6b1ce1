"""Multi-scale CAMs, their merging and normalisation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from common.inference.cam import multi_scale_cam, multi_scale_cams
from common.ops.cam import argmax_with_background, background_score, merge_cams, normalise, with_background
from common.ops.resize import padded_size, pool, strided_size, upsample

IMAGE = np.random.default_rng(0).integers(0, 256, (21, 34, 3)).astype(np.uint8)


class Classifier(torch.nn.Module):
    """Stride 4; its maps depend on left and right, so that a missing mirror shows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 5, 7, stride=4, padding=3)
        self.inputs: list[torch.Tensor] = []
        with torch.no_grad():
            self.conv.weight.copy_(torch.randn(self.conv.weight.shape, generator=torch.Generator().manual_seed(0)))

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        return (images - 120) / 60

    def cam(self, x: torch.Tensor) -> torch.Tensor:
        self.inputs.append(x)
        return self.conv(x).relu()


def test_one_map_per_scale_of_the_sum_over_the_mirror_pair() -> None:
    model = Classifier()
    maps = multi_scale_cam(model, IMAGE, (1.0, 0.5, 2.0))
    x = torch.from_numpy(IMAGE).permute(2, 0, 1)[None].float()
    upright, mirrored = model.cam(model.normalize(x)), model.cam(model.normalize(x.flip(3)))
    torch.testing.assert_close(maps[0], (upright + mirrored.flip(3))[0])
    assert [tuple(m.shape) for m in maps] == [(5, 6, 9), (5, 3, 5), (5, 11, 17)]
    assert not torch.allclose(upright, mirrored.flip(3))


def test_sizes_round_half_to_even_and_the_mirror_goes_along() -> None:
    model = Classifier()
    multi_scale_cam(model, IMAGE, (0.5, 1.5))  # 21 x 34 -> 10.5 x 17 and 31.5 x 51
    assert [tuple(x.shape) for x in model.inputs] == [(1, 3, 10, 17)] * 2 + [(1, 3, 32, 51)] * 2
    assert torch.equal(model.inputs[0], model.inputs[1].flip(3))


def test_without_flip_the_image_goes_alone() -> None:
    model = Classifier()
    (maps,) = multi_scale_cam(model, IMAGE, (1.0,), flip=False)
    assert [tuple(x.shape) for x in model.inputs] == [(1, 3, 21, 34)]
    torch.testing.assert_close(maps, model.cam(model.inputs[0].clone())[0])


def test_a_batch_gives_what_its_images_give() -> None:
    model, images = Classifier(), [IMAGE, IMAGE[::-1].copy(), 255 - IMAGE]
    batched = multi_scale_cams(model, images, (1.0, 1.5))
    for k, image in enumerate(images):
        for whole, one in zip(batched, multi_scale_cam(model, image, (1.0, 1.5)), strict=True):
            torch.testing.assert_close(whole[k], one)


def maps_of_two_scales() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    return [torch.rand(5, 6, 9, generator=generator), torch.rand(5, 3, 5, generator=generator)]


def test_merge_sums_the_resized_scales_of_the_tagged_classes() -> None:
    maps, size = maps_of_two_scales(), (21, 34)
    strided = merge_cams(maps, strided_size(size), [2, 5])
    full = merge_cams(maps, size, [2, 5], canvas=padded_size(size))
    assert strided.dtype == full.dtype == np.float32

    def merged(target: tuple[int, int]) -> np.ndarray:
        return sum(F.interpolate(m[None, [1, 4]], target, mode="bilinear")[0] for m in maps).numpy()

    small, large = merged((6, 9)), merged((32, 48))[:, :21, :34]
    np.testing.assert_allclose(strided, small / (small.max((1, 2), keepdims=True) + 1e-5), rtol=1e-5)
    np.testing.assert_allclose(full, large / (large.max((1, 2), keepdims=True) + 1e-5), rtol=1e-5)
    direct = merged(size)
    np.testing.assert_allclose(
        merge_cams(maps, size, [2, 5]), direct / (direct.max((1, 2), keepdims=True) + 1e-5), rtol=1e-5
    )


def test_ways_to_merge() -> None:
    maps = [torch.full((1, 2, 2), 1.0), torch.full((1, 2, 2), 3.0)]
    for merge, expected in (("sum", 4.0), ("mean", 2.0), ("max", 3.0)):
        assert merge_cams(maps, (8, 8), [1], merge=merge, normalisation="none").max() == expected
    with pytest.raises(ValueError, match="no merge 'median'"):
        merge_cams(maps, (8, 8), [1], merge="median")


def test_an_image_without_tags_has_no_maps() -> None:
    maps, size = maps_of_two_scales(), (21, 34)
    assert merge_cams(maps, strided_size(size), []).shape == (0, 6, 9)
    assert merge_cams(maps, size, [], canvas=padded_size(size)).shape == (0, 21, 34)


def test_normalisations() -> None:
    maps = torch.tensor([[[0.0, 2.0], [1.0, 4.0]], [[-1.0, 0.5], [0.25, 1.0]]])
    torch.testing.assert_close(normalise(maps)[:, 1, 1], torch.tensor([4 / (4 + 1e-5), 1 / (1 + 1e-5)]))
    torch.testing.assert_close(normalise(maps, "image_max"), maps / 4)
    torch.testing.assert_close(normalise(maps + 2, "class_min_max")[0, 1], (torch.tensor([1.0, 4.0]) - 1e-5) / 4.00001)
    assert normalise(maps, "none") is maps
    with pytest.raises(ValueError, match="no normalisation 'sqrt'"):
        normalise(maps, "sqrt")


@pytest.mark.parametrize("by", ["class_max", "image_max", "class_min_max"])
def test_maps_that_are_0_everywhere_stay_finite(by: str) -> None:
    assert torch.isfinite(normalise(torch.zeros(2, 3, 4), by)).all()
    assert argmax_with_background(normalise(torch.zeros(2, 3, 4), by), 0.25).max() == 0


def test_background_wins_ties_and_the_first_class_among_equals() -> None:
    maps = torch.tensor([[[0.25, 0.5, 0.1]], [[0.25, 0.5, 0.3]]])
    assert argmax_with_background(maps, 0.25).tolist() == [[0, 1, 2]]
    assert argmax_with_background(maps, torch.tensor([[[0.1, 0.9, 0.2]]])).tolist() == [[1, 0, 2]]


def test_upsample_crops_to_the_image() -> None:
    maps = torch.rand(2, 6, 9)
    expected = F.interpolate(maps[None], (24, 36), mode="bilinear")[0, :, :21, :34]
    torch.testing.assert_close(upsample(maps, (21, 34)), expected)
    assert upsample(maps[:0], (21, 34)).shape == (0, 21, 34)


@pytest.mark.parametrize("side", [1, 97, 281, 334, 375, 500])
def test_grid_sizes(side: int) -> None:
    assert strided_size((side, 8), 4) == (math.ceil(side / 4), 2)
    assert padded_size((side, 8), 16) == (16 * math.ceil(side / 16), 16)


@pytest.mark.parametrize(("alpha", "threshold"), [(4, 0.276), (6, 0.222), (8, 0.188), (16, 0.123), (32, 0.077)])
def test_an_alpha_is_a_threshold_for_a_single_class(alpha: float, threshold: float) -> None:
    cam = torch.tensor([threshold - 2e-3, threshold + 2e-3]).view(1, 1, 2)
    assert with_background(cam, alpha).argmax(dim=0).tolist() == [[0, 1]]


def test_background_score_is_what_the_strongest_class_leaves() -> None:
    cam = torch.tensor([[[0.0, 0.5]], [[0.9, 0.25]]])
    torch.testing.assert_close(background_score(cam, 2.0), torch.tensor([[0.01, 0.25]]))
    assert torch.equal(with_background(cam, 2.0)[1:], cam)
    assert background_score(torch.zeros(0, 3, 4), 16).eq(1).all()


def test_cells_are_means_that_count_0_beyond_the_image() -> None:
    maps = torch.rand(3, 13, 22, generator=torch.Generator().manual_seed(0))
    cells = pool(maps, 8)
    assert cells.shape == (3, 2, 3)
    torch.testing.assert_close(cells[:, 0, 0], maps[:, :8, :8].mean((1, 2)))
    torch.testing.assert_close(cells[:, 1, 2], maps[:, 8:, 16:].sum((1, 2)) / 64)
