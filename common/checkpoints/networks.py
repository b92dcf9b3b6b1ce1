"""Networks to and from files: `weights.pth` is a plain state dict, the mmengine config beside it says what to build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from torch import Tensor, nn

import common.checkpoints.initial
import common.models.register  # noqa: F401
from common.base.config import import_types, plain_text, read_config
from common.base.errors import UserError
from common.base.files import atomic_path
from common.checkpoints.files import read_state_dict, save_file
from common.models.onednn import with_onednn


def without_init(config: Any) -> Any:
    """The config without its `init_cfg` and `pretrained` entries at any depth: building it downloads nothing."""
    if isinstance(config, Mapping):
        return {key: without_init(value) for key, value in config.items() if key not in ("init_cfg", "pretrained")}
    if isinstance(config, (list, tuple)):
        return type(config)(without_init(value) for value in config)
    return config


def build_model(config: Mapping[str, Any]) -> nn.Module:
    """Build `config.model` as it stands, from the types that `custom_imports` register; no initialisation is run.

    Raises:
        UserError: the config has no `model`.
    """
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    if "model" not in config:
        raise UserError("The config has no key 'model': give the config of a network.")
    import_types(config)
    init_default_scope("mmseg")
    return MODELS.build(ConfigDict(config["model"]))


def load_strictly(model: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Load every tensor; the counters `num_batches_tracked`, absent in old files, may be missing.

    Raises:
        UserError: a tensor is missing, unknown or of another shape.
    """
    own = model.state_dict()
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unknown = [key for key in state if key not in own]
    reshaped = [key for key, value in state.items() if key in own and own[key].shape != value.shape]
    for trouble, keys in (("lacks", missing), ("has unknown", unknown), ("has another shape of", reshaped)):
        if keys:
            raise UserError(
                f"{name} does not fit the network: it {trouble} {len(keys)} tensors, the first is {keys[0]}. "
                "Use the config it was trained with, or import it with `wsseg weights import`."
            )
    model.load_state_dict(dict(state), strict=False)


def load_model(weights_file: str | Path, config_file: str | Path, device: torch.device | str = "cpu") -> nn.Module:
    """The network of `config_file` with the weights of `weights_file`, ready to look at images (evaluation mode).

    Raises:
        UserError: a file is missing or broken, or the weights do not fit the config.
    """
    if not Path(config_file).is_file():
        raise UserError(f"{config_file} does not exist: the config of a network lies beside its weights.")
    model = build_model(without_init(read_config(config_file).to_dict()))
    load_strictly(model, read_state_dict(weights_file), str(weights_file))
    model.to(device).eval()
    return with_onednn(model) if torch.device(device).type == "cpu" else model


def save_network(folder: Path, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
    """Write `weights.pth`, then `config.py`, each atomically: what `load_model` opens and the artifact `Weights` holds.

    folder: is there; config: of the network, with `model` and `custom_imports`; state: its state dict on the CPU.
    """
    save_file(folder / "weights.pth", dict(state))
    with atomic_path(folder / "config.py") as temporary:
        temporary.write_text(plain_text(Config(dict(config))), encoding="utf-8")
