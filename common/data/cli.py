"""`wsseg data`: make, check and split data sets."""

from __future__ import annotations

import argparse
from pathlib import Path

RULES = ("xml", "xml-no-difficult", "mask")


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Add the verb `data` to the command's parser; handlers import what they need when they are called."""
    data = verbs.add_parser(
        "data",
        help="make, check and split data sets",
        description="Make, check and split data sets. A data set is a folder in VOC layout with a dataset.toml.",
    )
    actions = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_prepare(actions)
    _add_make(actions)
    _add_scale(actions)
    _add_check(actions)
    _add_splits(actions)


def _add_prepare(actions: argparse._SubParsersAction) -> None:
    prepare = actions.add_parser("prepare", help="build a known data set from its official archives")
    sets = prepare.add_subparsers(dest="set", required=True, metavar="SET")
    voc12 = sets.add_parser(
        "voc12",
        help="PASCAL VOC 2012 with the 10582 trainaug masks",
        description="Build PASCAL VOC 2012 with the trainaug masks from the two official archives alone: VOC 2012 "
        "trainval and SBD. Every count is checked. If it is stopped, run the same command again to go on.",
    )
    voc12.add_argument("--voc", type=Path, metavar="PATH", help="VOCtrainval_11-May-2012.tar, or its unpacked folder")
    voc12.add_argument("--sbd", type=Path, metavar="PATH", help="SBD's benchmark.tgz, or its unpacked folder")
    voc12.add_argument("--test", type=Path, metavar="PATH", help="VOC's test archive or folder: adds the 1456 test ids")
    voc12.add_argument("--out", type=Path, default=Path("data/voc12"), help="the new data set (%(default)s)")
    voc12.add_argument(
        "--tags",
        choices=RULES,
        default="xml",
        help="image-level labels from the XML (no-difficult: difficult objects where there are no "
        "others), or from the masks (%(default)s)",
    )
    voc12.add_argument("--download", action="store_true", help="fetch archives not given from their official addresses")
    voc12.add_argument(
        "--downloads", type=Path, metavar="FOLDER", default=Path("data/downloads"), help="where they go (%(default)s)"
    )
    _add_workers(voc12)
    voc12.set_defaults(handler=_prepare_voc12)
    animals = sets.add_parser(
        "voc12_animals",
        help="3576 photos of VOC 2012 with animals, shrunk to 240 pixels, for quick real runs",
        description="Make voc12_animals from a prepared voc12: its photos with cats, cows, dogs, horses and sheep, "
        "the longer side shrunk to 240 pixels.",
    )
    animals.add_argument(
        "--from", dest="source", type=Path, default=Path("data/voc12"), metavar="FOLDER", help="voc12 (%(default)s)"
    )
    animals.add_argument("--out", type=Path, default=Path("data/voc12_animals"), help="the new data set (%(default)s)")
    _add_workers(animals)
    animals.set_defaults(handler=_prepare_animals)


def _add_make(actions: argparse._SubParsersAction) -> None:
    make = actions.add_parser("make", help="generate a built-in data set; nothing is downloaded")
    sets = make.add_subparsers(dest="set", required=True, metavar="SET")
    shapes = sets.add_parser("shapes", help="drawn shapes with the problems of weak supervision in them, in seconds")
    shapes.add_argument("--out", type=Path, default=Path("data/shapes"), help="the new data set (%(default)s)")
    shapes.add_argument("--train", type=int, default=240, help="training images (%(default)s)")
    shapes.add_argument("--val", type=int, default=80, help="validation images (%(default)s)")
    shapes.add_argument("--size", type=int, default=128, help="side of an image in pixels (%(default)s)")
    shapes.add_argument("--seed", type=int, default=0, help="the same seed makes the same bytes (%(default)s)")
    shapes.set_defaults(handler=_make_shapes)


def _add_scale(actions: argparse._SubParsersAction) -> None:
    scale = actions.add_parser(
        "scale",
        help="write a smaller copy of a data set, for photos too large to work on",
        description="Write a smaller copy of a data set: photos, masks, instances and saliency, with lists, tags and "
        "dataset.toml. Photos that are small enough are copied as they are. If it is stopped, run the same command "
        "again to go on.",
    )
    scale.add_argument("root", type=Path, help="the data set's folder, e.g. data/mine")
    scale.add_argument(
        "--longer-side", type=int, required=True, metavar="PIXELS", help="of the photos in the copy, at most: e.g. 640"
    )
    scale.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new data set")
    _add_workers(scale)
    scale.set_defaults(handler=_scale)


def _add_check(actions: argparse._SubParsersAction) -> None:
    check = actions.add_parser(
        "check",
        help="find every broken file of a data set, with its cure",
        description="Read every listed photo, mask, saliency map and tag and print all faults in one table; "
        "exits with 1 if there are any.",
    )
    check.add_argument("root", type=Path, help="the data set's folder, e.g. data/voc12")
    _add_workers(check)
    check.set_defaults(handler=_check)


def _add_splits(actions: argparse._SubParsersAction) -> None:
    splits = actions.add_parser(
        "splits",
        help="write the label-scarce lists (1/8, 1/20, ...) of a data set",
        description="Write label-scarce lists next to train.txt, under the names of DMT: 8_labeled_0.txt holds the "
        "labelled 1/8 of train_aug in split 0, 8_unlabeled_0.txt the rest, 8-l_labeled_0.txt and 8-r_labeled_0.txt "
        "its difference-maximised halves, train_weak.txt the images of train_aug that are not in train.",
    )
    splits.add_argument("root", type=Path, help="the data set's folder; it needs the lists train and train_aug")
    splits.add_argument("--seed", type=int, default=7777, help="seed of the shuffles (%(default)s, as published)")
    splits.add_argument(
        "--of",
        metavar="LIST",
        help="divide another list instead of train_aug; its name comes in front: LIST_8_labeled_0.txt",
    )
    splits.add_argument(
        "--permutation",
        type=Path,
        metavar="FILE",
        help="make one split by a published permutation instead: positions in the sorted train_aug (text, npy or npz)",
    )
    splits.add_argument(
        "--fraction", action="append", metavar="1/N", help="with --permutation: which fractions (1/8, 1/20, 1/50)"
    )
    splits.set_defaults(handler=_splits)


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=_positive, help="worker processes (all cores)")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of processes: give 1 or more")
    return int(text)


def _prepare_voc12(options: argparse.Namespace) -> int:
    from common.base.errors import UserError
    from common.data.prepare import archives
    from common.data.prepare.voc12 import prepare_voc12

    sources = {"voc": archives.VOC12, "sbd": archives.SBD}
    for name, archive in sources.items():
        if getattr(options, name) is not None:
            continue
        if not options.download:
            raise UserError(f"--{name} is missing: give {archive.filename} or its unpacked folder, or add --download.")
        setattr(options, name, archives.fetch(archive, options.downloads))
    prepare_voc12(options.voc, options.sbd, options.out, options.test, options.tags)
    return _report(options.out, options.workers)


def _prepare_animals(options: argparse.Namespace) -> int:
    from common.data.prepare.animals import prepare_animals

    prepare_animals(options.source, options.out, workers=options.workers)
    return _report(options.out, options.workers)


def _make_shapes(options: argparse.Namespace) -> int:
    from common.data.prepare.shapes import make_shapes

    make_shapes(options.out, train=options.train, val=options.val, size=options.size, seed=options.seed)
    print(f"{options.out}: {options.train} training and {options.val} validation images")
    return 0


def _scale(options: argparse.Namespace) -> int:
    from common.data.prepare.scale import scale_dataset

    found = scale_dataset(options.root, options.out, options.longer_side, options.workers)
    print(f"{options.out}: {found.photos} photos, {found.shrunk} of them shrunk to {options.longer_side} pixels")
    return _report(options.out, options.workers)


def _check(options: argparse.Namespace) -> int:
    return _report(options.root, options.workers)


def _report(root: Path, workers: int | None) -> int:
    from common.data.check import check_dataset

    report = check_dataset(root, workers)
    print(report)
    return 1 if report.faults else 0


def _splits(options: argparse.Namespace) -> int:
    from common.data import protocols
    from common.data.dataset import open_dataset
    from common.data.ids import write_ids

    data = open_dataset(options.root)
    if options.permutation:
        fractions = options.fraction or ["1/8", "1/20", "1/50"]
        lists = protocols.permuted_lists(data.ids(options.of or "train_aug"), options.permutation, fractions)
    elif options.of:
        lists = protocols.fraction_lists(data.ids(options.of), options.seed, f"{options.of}_")
    else:
        lists = protocols.split_lists(data.ids("train_aug"), data.ids("train"), options.seed)
    filled = {name: ids for name, ids in lists.items() if ids}
    for name, ids in filled.items():
        write_ids(data.folder("splits") / f"{name}.txt", ids)
    width = max(map(len, lists))
    for name, ids in lists.items():
        print(f"{name:{width}}{len(ids):>7}" if name in filled else f"{name}: left out, it would be empty")
    return 0
