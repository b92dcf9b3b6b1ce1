"""Id lists, splits, image-level labels and palette against what the papers' authors published."""

from __future__ import annotations

import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from common.base.files import write_json
from common.data import protocols
from common.data.dataset import VOC_CLASSES, DataSet, open_dataset, voc_palette, write_description
from common.data.ids import ids_sha1
from common.data.prepare.voc12 import OFFICIAL
from common.data.tags import xml_tags
from tests.parity.compare import equal
from tests.parity.runner import load


def _text(array: np.ndarray) -> list[str]:
    return [value.decode() if isinstance(value, bytes) else str(value) for value in array.tolist()]


def _voc() -> dict[str, list[str]]:
    golden = load(Path(__file__).parent / "voc_ids.npz")
    return {"train": _text(golden["train"]), "train_aug": _text(golden["trainaug"])}


def check_palette(golden: dict[str, np.ndarray]) -> None:
    equal(voc_palette(), golden["palette"], "palette")
    equal(np.array(VOC_CLASSES), golden["classes"], "classes")


def check_voc_ids(golden: dict[str, np.ndarray]) -> None:
    train, val, test, aug = (_text(golden[key]) for key in ("train", "val", "test", "trainaug"))
    for name, ids in (("train", train), ("val", val), ("test", test), ("train_aug", aug)):
        assert ids_sha1(ids) == protocols.VOC12_SHA1[name], f"{name}: sha1 {ids_sha1(ids)}"
        assert len(ids) == getattr(OFFICIAL, name), f"{name}: {len(ids)} ids, {getattr(OFFICIAL, name)} in the checks"
    # any division of SBD between its two lists, whatever it shares with VOC, gives the published list
    sbd = sorted(set(aug) - set(train[::2]) | set(val[::3]))
    assert protocols.trainaug(train, val, sbd[::2], sbd[1::2]) == aug, "trainaug differs from the derivation rule"
    _check_image_labels(golden, train, aug)


def _check_image_labels(golden: dict[str, np.ndarray], train: list[str], aug: list[str]) -> None:
    """XML -> tags.json -> tag vectors, and the named protocols, through a data set written for it."""
    ids, labels = _text(golden["image_label_ids"]), np.unpackbits(golden["image_labels"], axis=1)[:, :20]
    with tempfile.TemporaryDirectory() as folder:
        data = _written(Path(folder), {"train": train, "train_aug": aug}, dict(zip(ids, labels, strict=True)))
        equal(np.stack([data.tag_vector(image_id) for image_id in ids]), labels.astype(np.float32), "image labels")
        for name, strong, weak in (
            ("1.4k strong", train, []),
            ("10.6k strong", aug, []),
            ("10.6k weak", [], aug),
            ("1.4k strong + 9.2k weak", train, [image_id for image_id in aug if image_id not in set(train)]),
        ):
            protocol = protocols.resolve(data, name)
            assert list(protocol.labelled) == strong and list(protocol.unlabelled) == weak, f"protocol {name} differs"


def _written(root: Path, lists: dict[str, list[str]], labels: dict[str, np.ndarray]) -> DataSet:
    write_description(root, "labels", VOC_CLASSES, "xml")
    for name, ids in lists.items():
        path = root / "ImageSets/Segmentation" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(ids))
    xml = {
        image_id: _xml([VOC_CLASSES[index + 1] for index in np.flatnonzero(row)]) for image_id, row in labels.items()
    }
    write_json(root / "tags.json", {image_id: xml_tags(text, VOC_CLASSES) for image_id, text in xml.items()})
    return open_dataset(root)


def _xml(names: list[str]) -> bytes:
    """An annotation with every second object difficult, an object twice, and person parts."""
    objects = "".join(
        f"<object><name>{escape(name)}</name><difficult>{index % 2}</difficult><part><name>head</name></part></object>"
        for index, name in enumerate([*names, *names[:1]])
    )
    return f"<annotation>{objects}</annotation>".encode()


def check_dmt_splits(golden: dict[str, np.ndarray]) -> None:
    voc, seed = _voc(), int(golden["seed"])
    aug, train = voc["train_aug"], voc["train"]
    orders = protocols.permutations(aug, seed, len(golden["sha1"]))
    assert orders[0] == [aug[index] for index in golden["permutation0"]], "permutation of split 0 differs"
    for column, (name, count) in enumerate(zip(_text(golden["names"]), golden["counts"].tolist(), strict=True)):
        for split in range(len(golden["sha1"])):
            found = protocols.fraction_split(aug, f"1/{name}", split, seed)
            assert len(found.labelled) == count, f"1/{name}: {len(found.labelled)} labelled, expected {count}"
            assert ids_sha1(found.labelled) == golden["sha1"][split, column], f"1/{name} split {split}: ids differ"
            assert [*found.labelled, *found.unlabelled] == orders[split], f"1/{name} split {split}: rest differs"
    _check_dms(golden, aug, seed)
    extra = protocols.split_lists(aug, train, seed)["train_weak"]
    assert len(extra) == int(golden["sbd_extra_count"]), f"train_weak: {len(extra)} ids"
    assert ids_sha1(extra) == str(golden["sbd_extra_sha1"]), "train_weak: ids differ"


def _check_dms(golden: dict[str, np.ndarray], aug: list[str], seed: int) -> None:
    subsets = protocols.dms_subsets(aug, seed=seed)
    rows = zip(_text(golden["dms_names"]), golden["dms_counts"].tolist(), _text(golden["dms_sha1"]), strict=True)
    for name, count, sha1 in rows:
        tail, split, side = name.split("_")
        ids = subsets[f"1/{tail}", int(split)]["lr".index(side)]
        assert len(ids) == count, f"DMS {name}: {len(ids)} ids, expected {count}"
        assert ids_sha1(ids) == sha1, f"DMS {name}: ids differ"
        if f"dms_{name}" not in golden:
            continue
        assert ids == [aug[index] for index in golden[f"dms_{name}"]], f"dms_{name} differs"


def check_s4gan_split(golden: dict[str, np.ndarray]) -> None:
    aug, permutation = _voc()["train_aug"], golden["permutation"]
    for ratio, count in zip(golden["fractions"].tolist(), golden["counts"].tolist(), strict=True):
        found = protocols.permuted_split(aug, permutation, ratio)
        assert len(found.labelled) == count, f"{ratio}: {len(found.labelled)} labelled, expected {count}"
        assert protocols.labelled_count(len(aug), f"1/{round(1 / ratio)}", "floor") == count, f"1/{round(1 / ratio)}"
        assert list(found.labelled) == [aug[index] for index in permutation[:count]], f"{ratio}: labelled ids differ"
        assert list(found.unlabelled) == [aug[index] for index in permutation[count:]], f"{ratio}: the rest differs"


CASES = {
    "palette": check_palette,
    "voc_ids": check_voc_ids,
    "dmt_splits": check_dmt_splits,
    "s4gan_split": check_s4gan_split,
}
