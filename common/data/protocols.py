"""Which images have which labels: trainaug, the label-scarce splits, and their names in the papers.

Sources: DMT (Feng et al. 2020, the authors' split script), s4GAN (Mittal et al. 2019, the shipped permutation).
"""

from __future__ import annotations

import dataclasses
import math
import random
import zipfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from common.base.errors import DataError, UserError, nearest

if TYPE_CHECKING:
    from common.data.dataset import DataSet

SEED = 7777
SPLITS = 3
FRACTIONS = ("1/2", "1/4", "1/8", "1/20", "1/50", "1/106")
DMS_FRACTIONS = ("1/8", "1/20", "1/50", "1/106")
NAMED = ("1.4k strong", "1.4k strong + 9.2k weak", "10.6k weak", "10.6k strong")
VOC12_SHA1 = {
    "train": "e49d06d8570abb0c9f749dead309bb74e03b77ae",
    "val": "7b03d5e1679dd3ee8b73ece600f4aa224ac4357b",
    "test": "51527f596f23415185db159f9ebabadf2f2e4214",
    "train_aug": "68b66c8b01411bb547870f6ab8e04f1f1d97c235",
}


@dataclasses.dataclass(frozen=True)
class Protocol:
    """Training images by what is known of them; no id is in both lists."""

    name: str
    labelled: tuple[str, ...]  # with pixel labels
    unlabelled: tuple[str, ...]  # with image-level labels (weakly supervised) or none (semi-supervised)

    def __post_init__(self) -> None:
        twice = sorted(set(self.labelled) & set(self.unlabelled))
        if twice:
            raise DataError(
                f"Protocol '{self.name}': {twice[0]} is in the labelled and in the unlabelled list; take it off one."
            )


def trainaug(
    voc_train: Collection[str], voc_val: Collection[str], sbd_train: Collection[str], sbd_val: Collection[str]
) -> list[str]:
    """sort(VOC train + ((SBD train + SBD val) minus VOC val)): the 10582 training images of the field."""
    return sorted(set(voc_train) | ((set(sbd_train) | set(sbd_val)) - set(voc_val)))


def divisor(fraction: str) -> float:
    """N of "1/N"; "1/106" stands for 100 of 10582 images, that is 1/105.82.

    Raises:
        UserError: no such form.
    """
    head, _, tail = fraction.partition("/")
    if head != "1" or not tail.isdecimal() or int(tail) < 1:
        raise UserError(f"'{fraction}' is no fraction of the training images: write it as 1/8.")
    return 105.82 if tail == "106" else float(tail)


def labelled_count(total: int, fraction: str, rule: Literal["dmt", "floor"] = "dmt") -> int:
    """Labelled images of `total`: the floor of total/N (AdvSemiSeg, s4GAN); DMT adds one where that leaves 1 mod 8."""
    count = int(total / divisor(fraction))
    if rule == "dmt" and count % 8 == 1:
        count += 1  # no batch of one image at batch size 8
    return min(count, total)


def permutations(ids: Iterable[str], seed: int = SEED, splits: int = SPLITS) -> list[list[str]]:
    """The sorted ids, shuffled in place again for each split by one generator (DMT)."""
    order, rng, found = sorted(ids), random.Random(seed), []
    for _ in range(splits):
        rng.shuffle(order)
        found.append(list(order))
    return found


def fraction_split(ids: Iterable[str], fraction: str, split: int = 0, seed: int = SEED) -> Protocol:
    """DMT's split: the first images of a permutation are labelled, so a smaller fraction is part of a larger one."""
    if split < 0:
        raise UserError(f"Split {split} does not exist: count from 0.")
    order = permutations(ids, seed, split + 1)[split]
    count = labelled_count(len(order), fraction)
    return Protocol(fraction, tuple(order[:count]), tuple(order[count:]))


def permuted_split(ids: Iterable[str], permutation: Sequence[int], ratio: float, name: str = "permuted") -> Protocol:
    """AdvSemiSeg's and s4GAN's split: the first int(ratio * N) positions of `permutation` into the sorted ids.

    Raises:
        DataError: `permutation` does not hold every position 0..N-1 once.
    """
    order = sorted(ids)
    positions = [int(position) for position in permutation]
    if sorted(positions) != list(range(len(order))):
        raise DataError(
            f"The permutation has {len(positions)} entries for {len(order)} images: "
            f"it must hold every position 0 to {len(order) - 1} once."
        )
    count = int(ratio * len(order))
    shuffled = [order[position] for position in positions]
    return Protocol(name, tuple(shuffled[:count]), tuple(shuffled[count:]))


def dms_subsets(
    ids: Iterable[str], fractions: Sequence[str] = DMS_FRACTIONS, seed: int = SEED, splits: int = SPLITS
) -> dict[tuple[str, int], tuple[list[str], list[str]]]:
    """Difference maximised sampling (DMT): (fraction, split) -> left and right labelled lists that share 60 %.

    The labelled list of N images is shuffled; left is all but its last ceil(0.2 N), right all but its first.
    One generator runs through all splits and fractions, so their number and order matter.
    """
    rng, found = random.Random(seed), {}
    for split, order in enumerate(permutations(ids, seed, splits)):
        for fraction in fractions:
            labelled = order[: labelled_count(len(order), fraction)]
            rng.shuffle(labelled)
            kept = len(labelled) - math.ceil((1 - 0.6) / 2 * len(labelled))
            found[fraction, split] = labelled[:kept], labelled[len(labelled) - kept :]
    return found


def read_permutation(path: Path) -> list[int]:
    """Positions from a text file (whitespace between them), an npy, or an npz with the array `permutation`.

    Raises:
        DataError: the file is missing or holds something else; pickled lists are refused.
    """
    import numpy as np

    try:
        if path.suffix not in (".npy", ".npz"):
            return [int(word) for word in path.read_text(encoding="utf-8").split()]
        found = np.load(path, allow_pickle=False)
        return np.asarray(found["permutation"] if path.suffix == ".npz" else found).astype(np.int64).tolist()
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} holds no permutation ({error}): give whole numbers as text, npy or npz.") from error


def permuted_lists(ids: Iterable[str], permutation: Path, fractions: Sequence[str]) -> dict[str, list[str]]:
    """`8_labeled_<file's name>` and `8_unlabeled_<file's name>`, ... by the rule of `permuted_split`."""
    ids, order, lists = list(ids), read_permutation(permutation), {}
    for fraction in fractions:
        found = permuted_split(ids, order, 1 / divisor(fraction), fraction)
        lists[f"{fraction[2:]}_labeled_{permutation.stem}"] = list(found.labelled)
        lists[f"{fraction[2:]}_unlabeled_{permutation.stem}"] = list(found.unlabelled)
    return lists


def resolve(data: DataSet, name: str, split: int = 0, seed: int = SEED) -> Protocol:
    """The protocol `name` of a data set with the splits train and train_aug.

    "1/N" is DMT's split `split` of train_aug. The papers' names stand for roles, whatever the set's size:
    "1.4k strong" train; "1.4k strong + 9.2k weak" train, and the rest of train_aug without pixel labels;
    "10.6k weak" train_aug without, "10.6k strong" (an oracle) with pixel labels.

    Raises:
        UserError: no such name. DataError: the data set lacks a list.
    """
    if name.startswith("1/"):
        return fraction_split(data.ids("train_aug"), name, split, seed)
    if name not in NAMED:
        raise UserError(f"'{name}' is no protocol{nearest(name, (*NAMED, *FRACTIONS))}.")
    if name == "1.4k strong":
        return Protocol(name, tuple(data.ids("train")), ())
    if name == "10.6k strong":
        return Protocol(name, tuple(data.ids("train_aug")), ())
    if name == "10.6k weak":
        return Protocol(name, (), tuple(data.ids("train_aug")))
    strong = data.ids("train")
    return Protocol(name, tuple(strong), tuple(without(data.ids("train_aug"), strong)))


def without(ids: Iterable[str], others: Iterable[str]) -> list[str]:
    """The ids that are not among `others`, in their order."""
    left_out = set(others)
    return [image_id for image_id in ids if image_id not in left_out]


def split_lists(ids: Iterable[str], strong: Iterable[str], seed: int = SEED) -> dict[str, list[str]]:
    """`fraction_lists` of `ids` (train_aug), and `train_weak`: those of them that are not in `strong` (train)."""
    ids = sorted(ids)
    return {"train_weak": without(ids, strong), **fraction_lists(ids, seed)}


def fraction_lists(ids: Iterable[str], seed: int = SEED, prefix: str = "") -> dict[str, list[str]]:
    """Every list under DMT's file names, `prefix` in front: `8_labeled_0`, `8_unlabeled_0`, `8-l_labeled_0`, ..."""
    ids, lists = sorted(ids), {}
    for split, order in enumerate(permutations(ids, seed)):
        for fraction in FRACTIONS:
            count, tail = labelled_count(len(order), fraction), fraction[2:]
            lists[f"{prefix}{tail}_labeled_{split}"] = order[:count]
            lists[f"{prefix}{tail}_unlabeled_{split}"] = order[count:]
    for (fraction, split), (left, right) in dms_subsets(ids, seed=seed).items():
        lists[f"{prefix}{fraction[2:]}-l_labeled_{split}"] = left
        lists[f"{prefix}{fraction[2:]}-r_labeled_{split}"] = right
    return lists
