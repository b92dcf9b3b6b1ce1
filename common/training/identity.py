"""What a training is: the digest that tells its checkpoints from those of another."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

from mmengine.dist import get_world_size

from common.artifacts import Artifact, Supervision
from common.base.files import sha256
from common.checkpoints.contents import completed
from common.checkpoints.names import named_weights
from common.data.dataset import open_dataset
from common.data.reads import Found, Reads
from common.training.schedule import is_weak_dataset


def read_by(dataset: Any, cfg: Any, reads: Reads) -> Found:
    """Note what a training reads: what its data set says in a method `reads()`, kind -> names, and named weights.

    Returns the same with the contents now (see `common.data.reads`).
    """
    found: Found = {kind: dict.fromkeys(names) for kind, names in getattr(dataset, "reads", dict)().items()}
    found["weights"] = dict.fromkeys(named_weights(cfg.model.to_dict()))
    root = cfg.train_dataloader.dataset.get("root")
    if root:
        found = completed(found, open_dataset(root), reads.hashes)
    found = {kind: names for kind, names in found.items() if names}
    reads.add(found)
    return found


def training_identity(cfg: Any, found: Found) -> str:
    """SHA-256 of all that shapes the weights: a checkpoint of another identity must not be resumed from.

    found: what `read_by` gave.
    """
    return hashlib.sha256(json.dumps([config_identity(cfg), found], sort_keys=True).encode()).hexdigest()


def config_identity(cfg: Any) -> str:
    """The part of `training_identity` that the config says.

    The place of the data and the number of workers are left out; a data set counts by its split's ids, labels by the
    names and sizes of their files, initial weights by their bytes.
    """
    return _digest(_parts(cfg))


def earlier_identities(cfg: Any) -> tuple[str, ...]:
    """What checkpoints from before bear: the config's identity alone, and the kind of labels without its module."""
    parts = _parts(cfg)
    found = [_digest(parts)]
    dataset = parts["loader"]["dataset"]
    if "." in dataset.get("label_kind", ""):
        dataset["label_kind"] = dataset["label_kind"].rpartition(".")[2]
        found.append(_digest(parts))
    return tuple(found)


def _parts(cfg: Any) -> dict[str, Any]:
    loader = copy.deepcopy(cfg.train_dataloader.to_dict())
    for key in ("num_workers", "persistent_workers", "prefetch_factor", "pin_memory"):
        loader.pop(key, None)
    dataset = loader["dataset"]
    if is_weak_dataset(dataset):
        dataset["root"] = open_dataset(dataset["root"]).fingerprint(dataset["split"])
        if dataset.get("labels"):
            dataset["labels"] = _listing(Supervision.kind(dataset.get("label_kind", "Labels"))(dataset["labels"]))
        for given in (dataset.get("inputs") or {}).values():
            given["folder"] = _listing(Artifact.kind(given["kind"])(given["folder"]))
    keys = ("model", "optim_wrapper", "param_scheduler", "train_cfg", "custom_hooks", "data_preprocessor", "seed")
    parts = {key: cfg.get(key) for key in keys} | {"loader": loader, "world_size": get_world_size()}
    parts["load_from"] = sha256(cfg.load_from) if cfg.get("load_from") else None
    return parts


def _digest(parts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _listing(made: Artifact) -> str:
    lines = (f"{path.name} {path.stat().st_size}\n" for path in made.files())
    return hashlib.sha256("".join(lines).encode()).hexdigest()
