"""Stages with a CRF: the labels a pixel may take, and the probabilities that the CRF is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from common.artifacts import Labels, Weights
from common.data.dataset import open_dataset
from common.ops.crf import crf_labels, crf_posterior
from common.ops.crf_params import CRFParams
from common.pipeline import Run
from common.stages import crf, infer_seg

WEAK = CRFParams(1, (20, 13, 5), (3, 3))
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 30, (24, 32, 3)).astype(np.uint8) + 5 * np.arange(32, dtype=np.uint8)[None, :, None]
NOISY = (np.arange(32)[None] > 16) ^ (RNG.random((24, 32)) < 0.3)


class Photo:
    """The image of a stage."""

    def __init__(self, tags: tuple[int, ...] = ()) -> None:
        self.id, self.pixels, self.size, self.tags = "photo", PIXELS, PIXELS.shape[:2], tags


def refined(run: Run, values: np.ndarray, tags: tuple[int, ...], **options: str | None) -> np.ndarray:
    made = Labels(run.out / "labels")
    made.write("photo", values)
    return crf(run, made, WEAK, **options).make(Photo(tags))


@pytest.fixture
def run(tiny_voc: Path, tmp_path: Path) -> Run:
    return Run(open_dataset(tiny_voc).guarded(()), torch.device("cpu"), tmp_path, 0)


def test_a_tagged_class_that_the_map_does_not_show_takes_its_share(run: Run):
    values = np.where(NOISY, 0, 5).astype(np.uint8)
    shown, tagged = (refined(run, values, (2, 5, 9), choices=choices) for choices in (None, "tagged"))
    index = np.where(values == 5, 2, 0).astype(np.uint8)  # of 0, 2, 5, 9
    assert np.array_equal(tagged, np.array([0, 2, 5, 9])[crf_labels(PIXELS, index, WEAK, 4)])
    assert np.array_equal(shown, refined(run, values, (2, 5, 9)))
    assert np.array_equal(shown, crf_labels(PIXELS, values, WEAK))
    assert np.array_equal(refined(run, values, (5,), choices="tagged"), shown)
    assert (shown != tagged).any() and set(np.unique(tagged)) <= {0, 5}
    assert tagged.dtype == np.uint8


@pytest.mark.parametrize("tags", [(), (3,)])
def test_a_map_of_background_alone_stays(run: Run, tags: tuple[int, ...]):
    empty = np.zeros(PIXELS.shape[:2], np.uint8)
    assert not refined(run, empty, tags, choices="tagged").any()


def test_open_pixels_are_a_label_like_any_other(run: Run):
    values = np.where(NOISY, 255, 3).astype(np.uint8)
    assert np.array_equal(refined(run, values, ()), crf_labels(PIXELS, values, WEAK))
    assert set(np.unique(refined(run, values, (3,), choices="tagged"))) <= {3, 255}


class Colours(nn.Module):
    """The logits are the photo's channels."""

    align_corners = False
    data_preprocessor = None

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor, mode: str) -> Tensor:
        return x


def test_logits_are_averaged_or_summed_before_the_crf(run: Run, monkeypatch: pytest.MonkeyPatch):
    import common.checkpoints.networks
    import common.inference.segmentation as segmentation

    monkeypatch.setattr(common.checkpoints.networks, "load_model", lambda *given: Colours())
    monkeypatch.setattr(segmentation, "normalize", lambda model, images: images.float() / 255)
    look = {"scales": (1.0, 1.5), "flip": True}
    mean = segmentation.multi_scale_logits(Colours(), PIXELS, **look)

    def segmented(**options) -> np.ndarray:
        return infer_seg(run, Weights(run.out), "val", **look, **options).make(Photo())

    for merge, views in ((None, 1), ("sum", 4)):
        probabilities = (views * mean).softmax(0).numpy()
        assert np.array_equal(segmented(merge=merge), probabilities.argmax(0))
        assert np.array_equal(segmented(merge=merge, crf=WEAK), crf_posterior(PIXELS, probabilities, WEAK).argmax(0))
    assert np.array_equal(segmented(crf=WEAK), segmented(merge=None, crf=WEAK))
    assert (segmented(merge="sum", crf=WEAK) != segmented(merge=None, crf=WEAK)).any()
