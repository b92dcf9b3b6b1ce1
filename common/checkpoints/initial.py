"""Initial weights by name: imported files in one folder, torchvision's, and those that come as a package."""

from __future__ import annotations

import urllib.error
from collections.abc import Mapping

import torch
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn

from common.base.errors import UserError
from common.checkpoints.files import load_file, read_state_dict
from common.checkpoints.names import absent, package_file, weights_folder


def uncounted(keys) -> list[str]:
    return [key for key in keys if not key.endswith("num_batches_tracked")]


def resolve_init(spec: str) -> dict[str, Tensor]:
    """The tensors that `spec` names, under `backbone.*` and, where there are any, `head.*` or `decode_head.*`.

    Args:
        spec: "torchvision://resnet50-V1" (an imported file of the name "resnet50-V1", or torchvision's, downloaded
            through torch.hub), "timm://resnet50.a1_in1k" (timm's, downloaded), "package://efficientnet_lite0" (an
            installed package), "file://PATH" (a backbone under its own names), or the name of imported weights.

    Raises:
        UserError: it is not there; the message says where to get it.
    """
    if spec.startswith("torchvision://"):
        return _torchvision(spec.removeprefix("torchvision://"))
    if spec.startswith("package://"):
        return _package(spec.removeprefix("package://"))
    if spec.startswith("timm://"):
        return _timm(spec.removeprefix("timm://"))
    if spec.startswith("file://"):
        return _own_names(read_state_dict(spec.removeprefix("file://")))
    return _stored(spec)


def _stored(name: str) -> dict[str, Tensor]:
    path = weights_folder() / f"{name}.pth"
    if path.is_file():
        return dict(load_file(path))
    raise UserError(absent(name))


def _torchvision(name: str) -> dict[str, Tensor]:
    import torchvision

    from common.checkpoints.formats import known_formats, recognise

    if (weights_folder() / f"{name}.pth").is_file():
        return _stored(name)
    model, _, version = name.rpartition("-")
    try:
        url = torchvision.models.get_model_weights(model)[f"IMAGENET1K_{version}"].url
    except (KeyError, ValueError) as error:
        raise UserError(f"torchvision://{name} is unknown: write for example torchvision://resnet50-V1.") from error
    try:
        state = torch.hub.load_state_dict_from_url(url, map_location="cpu", check_hash=True, weights_only=True)
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise UserError(
            f"torchvision://{name} could not be downloaded ({error}): get {url} where there is a network and run "
            f"`wsseg weights import FILE --as {name}`."
        ) from error
    return known_formats()[recognise(state, url)].convert(state)


def _timm(name: str) -> dict[str, Tensor]:
    import timm

    try:
        state = timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # the hub's clients have many
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"timm://{name} could not be downloaded ({type(error).__name__}: {reason}): get the file where there is a "
            "network, and name it with `--backbone-weights FILE`."
        ) from error
    return _own_names(state)


def _own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A backbone's own names under `backbone.`; a whole network's, which has them there, stay."""
    if any(key.startswith("backbone.") for key in state):
        return dict(state)
    return {f"backbone.{key}": value for key, value in state.items()}


def _package(name: str) -> dict[str, Tensor]:
    from common.checkpoints.convert import convert_efficientnet_lite0

    return convert_efficientnet_lite0(load_file(package_file(name)))


def load_matching(module: nn.Module, state: Mapping[str, Tensor], prefix: str = "") -> list[str]:
    """Load the entries `prefix + name` whose name and shape the module has; the others keep their values.

    Returns:
        The names of the module's tensors that were not loaded (counters aside).

    Raises:
        UserError: nothing fits.
    """
    own = module.state_dict()
    part = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    fits = {key: value for key, value in part.items() if key in own and own[key].shape == value.shape}
    if not fits:
        raise UserError(f"The weights have nothing for {type(module).__name__}: they are of another network.")
    module.load_state_dict(fits, strict=False)
    return uncounted(key for key in own if key not in fits)


@WEIGHT_INITIALIZERS.register_module()
class NamedWeights:
    """init_cfg=dict(type="NamedWeights", weights="torchvision://resnet50-V1") on a backbone; see `resolve_init`.

    prefix: the part of the weights that belongs to the module; "decode_head." on a head. What the weights lack
    keeps its values. A backbone must be filled completely; one with a method `adopt` renames what it takes first, or
    adds what only it has.

    Raises:
        UserError: the weights are not there, or leave a part of a backbone empty.
    """

    def __init__(self, weights: str, prefix: str = "backbone.") -> None:
        self.weights, self.prefix = weights, prefix

    def __call__(self, module: nn.Module) -> None:
        state = resolve_init(self.weights)
        if hasattr(module, "adopt"):
            state = module.adopt(state)
        missing = load_matching(module, state, self.prefix)
        if missing and self.prefix == "backbone.":
            raise UserError(
                f"The weights '{self.weights}' leave {len(missing)} tensors of {type(module).__name__} without a value "
                f"(the first is {missing[0]}): they are of another network."
            )
