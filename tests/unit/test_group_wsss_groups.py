"""Group-WSSS's groups: the distribution of partners against the released search, samples, batches."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict

from common.base.errors import UserError
from common.training.loader import build_loader
from methods.group_wsss.groups import GroupDataset, Partners, flat_collate

TAGS = [(1,), (1,), (1, 2), (2,), (1, 2), (1, 3), (), (2, 3), (1,), (1, 2)]
"""Tag sets that are there once, twice and more often, and an image without a tag."""
PACK = [{"type": "Squash", "height": 16, "width": 16}, {"type": "RandomColorJitter"}, {"type": "Pack"}]


def searched(tags: list[tuple[int, ...]], anchor: int, attempts: int, rng: random.Random) -> list[int]:
    """Two partners as the released code finds them: draw an index of 1 .. n - 2 until its tags fit."""
    chosen = rng.choice(tags[anchor])
    found = []
    for _ in range(2):
        for attempt in itertools.count():
            index = rng.randint(1, len(tags) - 2)
            if tags[index] == tags[anchor] or (attempt >= attempts and chosen in tags[index]):
                found.append(index)
                break
    return found


def shares(draw: Any, count: int = 3000) -> dict[tuple[int, ...], float]:
    drawn = Counter(tuple(draw()) for _ in range(count))
    return {pair: number / count for pair, number in drawn.items()}


@pytest.mark.parametrize("anchor", [0, 2, 5, 7, 9])
@pytest.mark.parametrize("attempts", [0, 3, 40])
def test_partners_have_the_distribution_of_the_released_search(anchor: int, attempts: int):
    """Of pairs, not only of single partners: the class of the fall-back is chosen once for both."""
    ours, theirs = random.Random(0), random.Random(1)
    partners = Partners(TAGS, 2, attempts=attempts)
    found = shares(lambda: partners.draw(anchor, ours))
    wanted = shares(lambda: searched(TAGS, anchor, attempts, theirs))
    for pair in found.keys() | wanted.keys():
        assert found.get(pair, 0) == pytest.approx(wanted.get(pair, 0), abs=0.04), pair


def test_partners_have_all_tags_of_the_anchor_not_just_one():
    """With 1000 attempts the fall-back is for images whose tags no other has."""
    partners, rng = Partners(TAGS, 2), random.Random(0)
    for anchor in (0, 1, 2, 3, 4, 8):
        for _ in range(50):
            assert all(TAGS[index] == TAGS[anchor] for index in partners.draw(anchor, rng))
    alone = {tuple(partners.draw(9, rng)) for _ in range(200)}  # (1, 2) is there at 2 and 4; 9 is the last of the list
    assert alone == set(itertools.product((2, 4), (2, 4)))
    single = Partners([(3,), (1, 2), (1,), (2,), (3,)], 2)
    drawn = {tuple(single.draw(1, rng)) for _ in range(100)}
    assert drawn == {(1, 1)}  # itself is the only one with its tags, and allowed


def test_both_partners_of_the_fall_back_share_one_class():
    tags = [(9,), (1,), (1,), (2,), (2,), (2,), (1, 2)]  # the last image is no candidate, so nobody has its tags
    partners, rng = Partners(tags, 2), random.Random(0)
    for _ in range(200):
        first, second = partners.draw(6, rng)
        assert tags[first] == tags[second]
    assert {tuple(partners.draw(0, rng)) for _ in range(20)} == {(0, 0)}  # no candidate at all: itself


def test_the_first_and_the_last_image_are_no_partners():
    for choice in ("tags", "random"):
        partners, rng = Partners([(1,)] * 6, 3, choice), random.Random(0)
        assert {i for _ in range(200) for i in partners.draw(0, rng)} == {1, 2, 3, 4}


def test_controls_and_lists_without_candidates():
    rng = random.Random(0)
    assert Partners(TAGS, 2, "self").draw(3, rng) == [3, 3]
    anyone = Partners(TAGS, 2, "random")
    drawn = Counter(i for _ in range(4000) for i in anyone.draw(3, rng))
    assert set(drawn) == set(range(1, 9)) and max(drawn.values()) < 1.2 * min(drawn.values())
    for choice in ("tags", "random", "self"):
        for tags in ([(1,)], [(1,), (1,)], [()]):
            assert Partners(tags, 2, choice).draw(0, rng) == [0, 0]
    assert Partners(TAGS, 2).draw(6, rng) == [6, 6]  # without tags: as many as itself
    with pytest.raises(UserError, match="must be 'tags', 'random' or 'self'"):
        Partners(TAGS, 2, "class")


# --- the data set --------------------------------------------------------------------------------------------------


def groups_of(root: Path, **options: Any) -> GroupDataset:
    return GroupDataset(str(root), "train", PACK, **options)


def test_an_epoch_has_every_image_once_as_an_anchor_and_partners_anew(tiny_voc: Path):
    data = groups_of(tiny_voc, seed=3)
    assert len(data) == 8 and data.pairs == 8
    drawn = [[data.members(epoch, anchor) for anchor in range(8)] for epoch in range(3)]
    assert all([group[0] for group in groups] == list(range(8)) for groups in drawn)
    assert drawn[0] != drawn[1] != drawn[2]
    again = groups_of(tiny_voc, seed=3)
    for epoch, anchor in ((2, 5), (0, 1), (1, 7)):  # in any order: a function of (seed, epoch, anchor)
        assert again.members(epoch, anchor) == drawn[epoch][anchor]
    other = groups_of(tiny_voc, seed=4)
    assert [other.members(0, anchor) for anchor in range(8)] != drawn[0]


def test_members_are_jittered_each_on_its_own(tiny_voc: Path):
    """Also the control whose group is one photo: it has as many views of it as a group has."""
    data = groups_of(tiny_voc, partners="self", group_size=4)
    group = data[(1, 2)]
    assert [member["data_samples"].id for member in group] == [data.ids[2]] * 4
    views = {member["inputs"].numpy().tobytes() for member in group}
    assert len(views) == 4
    assert views == {member["inputs"].numpy().tobytes() for member in data[(1, 2)]}
    assert views != {member["inputs"].numpy().tobytes() for member in data[(2, 2)]}


def test_samples_say_where_their_maps_lie(tiny_voc: Path):
    tags = json.loads((tiny_voc / "tags.json").read_text())
    tags["2007_000001"] = []
    (tiny_voc / "tags.json").write_text(json.dumps(tags))
    data = groups_of(tiny_voc)
    assert data.rows == [0, 1, 1, 2, 3, 4, 5, 6, 7] and data.pairs == 7
    samples = [member["data_samples"] for member in data[(0, 3)]]
    assert [(s.place, s.row, s.pairs) for s in samples] == [(0, 2, 7), (1, 2, 7), (2, 2, 7)]


def test_a_batch_holds_the_images_of_its_groups_one_after_the_other(tiny_voc: Path):
    data = groups_of(tiny_voc, group_size=3)
    batch = flat_collate([data[(0, 4)], data[(0, 1)]])
    assert [sample.place for sample in batch["data_samples"]] == [0, 1, 2, 0, 1, 2]
    members = [*data.members(0, 4), *data.members(0, 1)]
    assert [sample.id for sample in batch["data_samples"]] == [data.ids[index] for index in members]
    assert [tuple(image.shape) for image in batch["inputs"]] == [(3, 16, 16)] * 6


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_that_seeks_gives_the_groups_of_an_unbroken_run(tiny_voc: Path, workers: int):
    dataset = {"type": "GroupDataset", "root": str(tiny_voc), "split": "train", "pipeline": PACK, "seed": 1}
    loader = {"batch_size": 3, "num_workers": workers, "collate_fn": {"type": "flat_collate"}, "dataset": dataset}
    loader["sampler"] = {"type": "SeekingSampler", "shuffle": True}
    cfg = ConfigDict(train_dataloader=loader, seed=1, default_scope="mmseg")
    built = build_loader(cfg, print)
    assert built.sampler.epoch_length(built.batch_size) == 2  # groups, not images

    def batches(start: int, count: int) -> list[np.ndarray]:
        built.sampler.seek(start, built.batch_size)
        return [torch.stack(batch["inputs"]).numpy() for batch in itertools.islice(iter(built), count)]

    whole = batches(0, 5)
    assert whole[0].shape == (9, 3, 16, 16)
    for one, other in zip(whole[3:], batches(3, 2), strict=True):
        assert (one == other).all()
