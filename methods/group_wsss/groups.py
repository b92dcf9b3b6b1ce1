"""Groups of images: an anchor and its partners, drawn anew in every epoch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Literal

import common.base.compat  # isort: skip  # noqa: F401
from mmengine.dataset import pseudo_collate
from mmengine.registry import FUNCTIONS
from mmseg.registry import DATASETS

from common.base.errors import UserError
from common.training.datasets import WeakDataset

Choice = Literal["tags", "random", "self"]


class Partners:
    """Draws the partners of an anchor by the released rule (utils/LoadData.py:74-101), without its search.

    One of the anchor's classes is chosen for all its partners. Then the released code draws images until one has the
    same tags; from the `attempts`-th failure on an image with the chosen class will do. The anchor itself and repeats
    are possible, the first and the last image of the list are not. Here each partner comes from the list of images with
    the same tags, or, with the probability that all attempts fail, from that of the class: the same distribution.

    Args:
        tags: of each image, class ids.
        count: partners of an anchor.
        choice: "tags", as above; the controls "random": any image, and "self": the anchor.
        attempts: draws before the fall-back.
    """

    def __init__(
        self, tags: Sequence[tuple[int, ...]], count: int, choice: Choice = "tags", attempts: int = 1000
    ) -> None:
        if choice not in ("tags", "random", "self"):
            raise UserError(f"dataset.partners is {choice!r}: it must be 'tags', 'random' or 'self'.")
        self.tags, self.count, self.choice, self.attempts = list(tags), count, choice, attempts
        self.candidates = range(1, len(tags) - 1)
        self.equal: dict[tuple[int, ...], list[int]] = {}
        self.having: dict[int, list[int]] = {}
        for index in self.candidates:
            self.equal.setdefault(tags[index], []).append(index)
            for tag in tags[index]:
                self.having.setdefault(tag, []).append(index)

    def draw(self, anchor: int, rng: random.Random) -> list[int]:
        """Indices of the partners of image `anchor`; the anchor itself where no image may be one."""
        if self.choice == "self":
            return [anchor] * self.count
        if self.choice == "random":
            return [self._one_of(self.candidates, anchor, rng) for _ in range(self.count)]
        own = self.tags[anchor]
        equal = self.equal.get(own, [])
        having = self.having.get(rng.choice(own), []) if own else []
        failure = (1 - len(equal) / max(len(self.candidates), 1)) ** self.attempts
        return [self._one_of(having if rng.random() < failure else equal, anchor, rng) for _ in range(self.count)]

    def _one_of(self, images: Sequence[int], anchor: int, rng: random.Random) -> int:
        return rng.choice(images) if images else anchor


@DATASETS.register_module()
class GroupDataset(WeakDataset):
    """A `WeakDataset` whose items are groups: lists of the samples of an anchor and its partners.

    An epoch shows every image once as an anchor. Partners depend on (seed, epoch, anchor) alone, so a resumed training
    draws the same. Every member has random numbers of its own for its augmentation, also an image that is there twice.
    The samples say their `place` in the group, and the anchor's says with `row` where its maps begin in a `MapStore`.

    Args:
        group_size: images of a group, K.
        partners: see `Partners`.
        kwargs: of `WeakDataset`.
    """

    def __init__(self, *args: Any, group_size: int = 3, partners: Choice = "tags", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tags = [self.data.tags(image_id) for image_id in self.ids]
        self.drawn = Partners(tags, group_size - 1, partners)
        self.rows = [0]
        for own in tags:
            self.rows.append(self.rows[-1] + len(own))

    @property
    def pairs(self) -> int:
        """Images times their tags: the maps of a `MapStore`."""
        return self.rows[-1]

    def members(self, epoch: int, anchor: int) -> list[int]:
        """Indices of the images of an anchor's group, itself first."""
        rng = random.Random(f"{self.seed}/{epoch}/{self.ids[anchor]}/partners")
        return [anchor, *self.drawn.draw(anchor, rng)]

    def __getitem__(self, key: tuple[int, int] | int) -> list[Any]:
        epoch, anchor = key if isinstance(key, tuple) else (0, key)
        return [self._member(epoch, anchor, place, index) for place, index in enumerate(self.members(epoch, anchor))]

    def _member(self, epoch: int, anchor: int, place: int, index: int) -> Any:
        results = self.load(index, epoch)
        if place:
            results["rng"] = random.Random(f"{self.seed}/{epoch}/{self.ids[anchor]}/{place}")
        member = self.pipeline(results)
        member["data_samples"].set_metainfo({"place": place, "row": self.rows[anchor], "pairs": self.pairs})
        return member


@FUNCTIONS.register_module()
def flat_collate(groups: Sequence[Sequence[Any]]) -> Any:
    """A batch of groups as a batch of their images, group by group."""
    return pseudo_collate([member for group in groups for member in group])
