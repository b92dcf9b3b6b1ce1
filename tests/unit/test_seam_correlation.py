"""The pixel correlation module against the equations as they are written."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from methods.seam.correlation import PixelCorrelation, correlate, suppress_non_maximal, to_grid

EPS = 1e-5


def plain_correlation(maps: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """The released form: the whole matrix of similarities, divided by the sums of its columns."""
    flat = features.flatten(2)
    unit = flat / (flat.norm(dim=1, keepdim=True) + EPS)
    similarity = F.relu(unit.transpose(1, 2) @ unit)
    weights = similarity / (similarity.sum(dim=1, keepdim=True) + EPS)
    return (maps.flatten(2) @ weights).view_as(maps)


@pytest.fixture
def scene() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 5, 9, 13, generator=generator), torch.randn(2, 16, 9, 13, generator=generator)


@pytest.mark.parametrize("chunk", [1, 10, 39, 117, 512])
def test_chunks_of_columns_give_the_plain_form(scene, chunk):
    maps, features = scene
    torch.testing.assert_close(correlate(maps, features, chunk), plain_correlation(maps, features), rtol=0, atol=1e-6)


def test_chunks_have_the_gradient_of_the_plain_form(scene):
    maps, features = scene
    weight = torch.randn(maps.shape, generator=torch.Generator().manual_seed(1))
    gradients = []
    for form in (lambda x: correlate(maps, x, chunk=20), lambda x: plain_correlation(maps, x)):
        leaf = features.clone().requires_grad_()
        (form(leaf) * weight).sum().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)


def test_refined_maps_are_means(scene):
    maps, features = scene
    refined = correlate(maps, features)
    for channel in range(maps.shape[1]):
        assert refined[:, channel].min() >= maps[:, channel].min() - 1e-4
        assert refined[:, channel].max() <= maps[:, channel].max() + 1e-4
    flat = torch.full_like(maps, 0.7)
    torch.testing.assert_close(correlate(flat, features), flat, rtol=1e-4, atol=0)


def test_pixels_that_look_alike_get_one_value_and_others_stay_apart():
    features = torch.zeros(1, 2, 1, 6)
    features[:, 0, :, :3] = features[:, 1, :, 3:] = 1
    refined = correlate(torch.arange(6.0).view(1, 1, 1, 6), features)
    torch.testing.assert_close(refined.flatten(), torch.tensor([1.0, 1, 1, 4, 4, 4]), rtol=1e-4, atol=0)


def test_the_matrix_never_exists_as_a_whole(monkeypatch):
    """No product of more than `chunk` columns, with a gradient or without."""
    largest = 0
    plain = torch.Tensor.__matmul__

    def recorded(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        nonlocal largest
        out = plain(a, b)
        largest = max(largest, out.shape[-2] * out.shape[-1])
        return out

    monkeypatch.setattr(torch.Tensor, "__matmul__", recorded)
    features = torch.randn(1, 8, 30, 40).requires_grad_()
    correlate(torch.rand(1, 3, 30, 40), features, chunk=100).sum().backward()
    assert largest == 1200 * 100


def test_the_backward_pass_keeps_no_matrix():
    saved = 0

    def pack(x: torch.Tensor) -> torch.Tensor:
        nonlocal saved
        saved = max(saved, x.numel())
        return x

    features = torch.randn(1, 8, 30, 40).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        correlate(torch.rand(1, 3, 30, 40), features, chunk=100)
    assert saved < 1200 * 100


def test_non_maximal_classes_are_suppressed_and_the_background_is_not():
    raw = torch.zeros(1, 4, 1, 3)
    raw[0, 1, 0] = torch.tensor([4.0, 1.0, -1.0])
    raw[0, 2, 0] = torch.tensor([2.0, 8.0, -3.0])
    raw[0, 0, 0] = torch.tensor([9.0, 9.0, 9.0])  # the raw background does not count
    maps = suppress_non_maximal(raw)
    expected = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(maps[0, :, 0], expected, rtol=0, atol=2e-5)
    assert maps[0, 1, 0, 1] == 0 and maps[0, 2, 0, 0] == 0


def test_an_absent_class_can_suppress_a_present_one():
    """Every class is stretched to 1 before they are compared, however weak it is."""
    raw = torch.zeros(1, 3, 1, 2)
    raw[0, 1, 0] = torch.tensor([5.0, 10.0])
    raw[0, 2, 0] = torch.tensor([0.01, 0.0])
    assert suppress_non_maximal(raw)[0, 1, 0, 0] == 0


def test_equal_classes_stay_and_no_gradient_is_left():
    raw = torch.ones(1, 3, 2, 2, requires_grad=True)
    maps = suppress_non_maximal(raw)
    assert (maps[:, 1] == maps[:, 2]).all() and (maps[:, 1] > 0.9).all()
    assert not maps.requires_grad


def test_taps_of_other_strides_are_brought_to_the_grid():
    module = PixelCorrelation((6, 7), widths=(4, 5), embedding=8)
    taps = [torch.randn(1, 6, 12, 16), torch.randn(1, 7, 3, 4)]
    features = module.features(torch.randn(1, 3, 48, 64), taps, (6, 8))
    assert features.shape == (1, 3 + 4 + 5, 6, 8)
    assert module(torch.rand(1, 3, 6, 8), features).shape == (1, 3, 6, 8)


def test_corners_are_aligned():
    x = torch.arange(6.0).view(1, 1, 2, 3)
    large = to_grid(x, (5, 9))
    assert large[0, 0, 0, 0] == 0 and large[0, 0, -1, -1] == 5 and large[0, 0, 0, -1] == 2
    assert to_grid(x, (2, 3)) is x


def test_half_precision_inputs_are_computed_in_single():
    module = PixelCorrelation((2,), widths=(4,), embedding=8)
    maps, features = torch.rand(1, 3, 4, 4), torch.randn(1, 7, 4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = module(maps, features)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, module(maps, features))
