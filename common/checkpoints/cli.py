"""`wsseg weights`: import released checkpoints, list what is there. torch is imported when a handler runs."""

from __future__ import annotations

import argparse


def add_parser(verbs: argparse._SubParsersAction) -> None:
    """Add `weights import` and `weights list`."""
    weights = verbs.add_parser("weights", help="import released checkpoints and list them")
    actions = weights.add_subparsers(dest="action", required=True, metavar="ACTION")
    importing = actions.add_parser(
        "import",
        help="convert a released checkpoint and keep it under a name",
        description="Convert a released checkpoint (its layout is recognised) and keep it in the folder that "
        "WSSEG_WEIGHTS names, or ./weights. Configs ask for it by the name.",
    )
    importing.add_argument("file", help="the checkpoint (PyTorch's, or an MXNet .params file)")
    importing.add_argument("--as", dest="name", required=True, help="the name configs ask for, e.g. resnet101_coco")
    importing.set_defaults(handler=_import)
    actions.add_parser("list", help="the imported weights").set_defaults(handler=_list)


def _import(options: argparse.Namespace) -> int:
    from common.checkpoints.importing import import_weights
    from common.checkpoints.names import weights_folder

    report = import_weights(options.file, options.name)
    print("\n".join(report.lines()))
    print(f"kept in {weights_folder() / options.name}.pth")
    return 0


def _list(options: argparse.Namespace) -> int:
    from common.checkpoints.names import sources, stored_names, weights_folder

    names = stored_names()
    for name in names:
        size = (weights_folder() / f"{name}.pth").stat().st_size
        print(f"{name:<24} {size / 1e6:8.1f} MB")
    for name, source in sources().items():
        if name not in names:
            print(f"{name:<24} not imported: {source}")
    return 0
