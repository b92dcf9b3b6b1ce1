"""Batches of labelled and pseudo-labelled images: composition, resume, ranks, and what is refused."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from common.artifacts import ConfidentLabel, ConfidentLabels
from common.base.errors import UserError
from common.training import StrongWeakSampler, resolve_schedule
from common.training.datasets import WeakDataset
from common.training.loader import build_loader
from common.training.paired_sampler import paired_iterations
from common.training.sampler import epoch_order


class Mixed:
    """Images 0, 3, 6, ... are labelled."""

    def __init__(self, images: int) -> None:
        self.strong = [index % 3 == 0 for index in range(images)]

    def __len__(self) -> int:
        return len(self.strong)


def batches(sampler: StrongWeakSampler, start: int, size: int, count: int) -> list[list[tuple[int, int]]]:
    sampler.seek(start, size)
    pairs = iter(sampler)
    return [list(itertools.islice(pairs, size)) for _ in range(count)]


def test_a_batch_holds_weak_images_first_and_so_many_strong_ones_last():
    data = Mixed(20)
    for batch in batches(StrongWeakSampler(data, strong=2, seed=3), 0, 7, 40):
        assert [data.strong[index] for _, index in batch] == [False] * 5 + [True] * 2


def test_every_pass_over_a_list_shows_each_image_once_in_a_new_order():
    data = Mixed(20)  # 7 strong, 13 weak
    drawn = [pair for batch in batches(StrongWeakSampler(data, strong=2, seed=3), 0, 7, 91) for pair in batch]
    for kind, images in ((True, 7), (False, 13)):
        pairs = [pair for pair in drawn if data.strong[pair[1]] == kind]
        passes = [[index for _, index in pairs[first : first + images]] for first in range(0, 91 * 2, images)]
        assert all(len(set(one)) == images for one in passes)
        assert len({tuple(one) for one in passes}) == len(passes)
        assert [number for number, _ in pairs] == [position // images for position in range(len(pairs))]
    order = epoch_order(13, 3, 1)
    weak = [index for index in range(20) if index % 3]
    second = [index for number, index in drawn if number == 1 and not data.strong[index]]
    assert second == [weak[place] for place in order]


def test_seeking_gives_the_batches_of_an_unbroken_run():
    sampler = StrongWeakSampler(Mixed(20), strong=2, seed=1)
    whole = batches(sampler, 0, 5, 30)
    for start in range(30):
        assert batches(sampler, start, 5, 30 - start) == whole[start:]


def test_ranks_share_out_both_parts_of_the_batch_of_one_process():
    data = Mixed(23)
    whole = batches(StrongWeakSampler(data, strong=2, seed=1), 4, 6, 12)
    parts = []
    for rank in range(2):
        sampler = StrongWeakSampler(data, strong=1, seed=1)
        sampler.rank, sampler.world_size = rank, 2
        parts.append(batches(sampler, 4, 3, 12))
    for one, first, second in zip(whole, *parts, strict=True):
        assert one == first[:2] + second[:2] + first[2:] + second[2:]


def test_the_seed_changes_the_batches():
    first, second = (batches(StrongWeakSampler(Mixed(20), seed=seed), 0, 4, 3) for seed in (0, 1))
    assert first != second


def test_what_cannot_be_composed_is_refused():
    for known, kind in ((True, "pseudo-labelled"), (False, "labelled")):
        data = Mixed(6)
        data.strong = [known] * 6
        with pytest.raises(UserError, match=f"no {kind} image"):
            StrongWeakSampler(data)
    for strong in (0, 4):
        with pytest.raises(UserError, match="must hold both kinds"):
            batches(StrongWeakSampler(Mixed(9), strong=strong), 0, 4, 1)


def test_a_batch_of_both_kinds_stays_as_it_is():
    assert StrongWeakSampler(Mixed(6), strong=2).largest_batch(7) == 7


def test_an_epoch_is_one_pass_over_the_weak_list():
    assert paired_iterations(10052, 1, 8) == 1436  # DMT at 1/20
    assert paired_iterations(9260, 1, 8) == 1323  # at 1/8: the last batch is filled up
    assert paired_iterations(10052, 1, 8, world_size=2) == 718


@pytest.fixture
def few(tiny_voc: Path) -> Path:
    """The first two training images are labelled."""
    splits = tiny_voc / "ImageSets/Segmentation"
    ids = (splits / "train.txt").read_text().split()
    (splits / "few.txt").write_text("\n".join(ids[:2]))
    (splits / "rest.txt").write_text("\n".join(ids[2:]))
    return tiny_voc


def pseudo_labels(root: Path, folder: Path) -> ConfidentLabels:
    """Class 1 everywhere, surer to the right: 0 in the first column, 1 in the last."""
    labels = ConfidentLabels(folder)
    data = WeakDataset(str(root), "rest", []).data
    for image_id in data.ids("rest"):
        height, width = data.size(image_id)
        confidence = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
        labels.write(image_id, ConfidentLabel(np.ones((height, width), np.uint8), confidence))
    return labels


def test_epochs_are_counted_by_the_sampler(few: Path):
    labels = {"labels": str(pseudo_labels(few, few / "p").path), "label_kind": "ConfidentLabels"}
    dataset = {"type": "WeakDataset", "root": str(few), "split": "rest+few", "pixel_labels": "few", "pipeline": []}
    loader = {"batch_size": 3, "sampler": {"type": "StrongWeakSampler", "strong": 1}, "dataset": dataset | labels}
    built = build_loader(Config({"train_dataloader": loader, "seed": 0, "default_scope": "mmseg"}), print)
    assert built.sampler.epoch_length(3) == 3  # 6 images, 2 a batch
    optim = {"optimizer": {"type": "PolySGD"}}
    cfg = Config({"train_cfg": {"max_epochs": 4}, "train_dataloader": loader, "optim_wrapper": optim})
    assert resolve_schedule(cfg, 3) == 12
    assert cfg.optim_wrapper.optimizer.max_step == 12


def test_a_batch_of_the_loader(few: Path, tmp_path: Path):
    pipeline = [
        {"type": "RandomScaleRange", "low": 1.0, "high": 1.0},
        {"type": "MeanPadCrop", "size": 40, "pad": (0, 0, 0)},
        {"type": "Pack"},
    ]
    data = WeakDataset(
        str(few),
        "rest+few",
        pipeline,
        labels=str(pseudo_labels(few, tmp_path).path),
        pixel_labels="few",
        label_kind="ConfidentLabels",
        thresholds=(0.0, 0.5),
    )
    sampler = StrongWeakSampler(data, strong=1, seed=0)
    sampler.seek(0, 3)
    batch = next(iter(DataLoader(data, 3, sampler=sampler, collate_fn=pseudo_collate)))
    samples = batch["data_samples"]
    assert [sample.strong for sample in samples] == [False, False, True]
    assert {sample.id for sample in samples[:2]} <= set(data.data.ids("rest"))
    assert "confidence" not in samples[2]
    for sample in samples[:2]:
        label, confidence = sample.gt_sem_seg.data[0], sample.confidence.data[0]
        padding = confidence == 255  # the photos are smaller than the crop
        assert padding.any() and (label[padding] == 255).all()
        assert torch.equal(label[~padding] == 1, confidence[~padding] >= 0.5)
        assert set(label.unique().tolist()) == {1, 255}


def test_an_image_of_both_lists_is_listed_once(few: Path):
    data = WeakDataset(str(few), "few + train", [], pixel_labels="train")
    assert sorted(data.ids) == sorted(data.data.ids("train"))
    assert data.ids[:2] == data.data.ids("few")
    assert Counter(data.strong) == {True: 8}
