"""Older records of stages (without `format`), in today's words as far as these mean the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from common.base.config import read_config, read_plain
from common.base.errors import UserError
from common.base.files import sha256
from common.data.dataset import DESCRIPTION, DataSet
from common.models.classes import heads
from common.pipeline.outputs import digest, recorded_files
from common.pipeline.stage import NetworkConfig

Record = dict[str, Any]

STAGES = {
    "irnet.cam_to_ir_label": "cam_to_ir_label",
    "irnet.propagate": "boundary_walk and labels",  # it made label maps, which takes two stages now
}
"""Names of stages; what is split now has a name that no stage has.

affinitynet.random_walk made label maps, too, and kept its name: its records have a `crf`, which is gone.
"""

PARAMETERS = {"crf": {"preset": "crf"}}
"""Names of parameters, by today's name of the stage."""

DEFAULTS: dict[str, Record] = {"train": {"follow": None}}
"""New parameters whose value means what the stage did before, by today's name of the stage."""


def _crf(iterations: int, bilateral: tuple[float, ...], gaussian: tuple[float, ...]) -> Record:
    return {"iterations": iterations, "bilateral": list(bilateral), "gaussian": list(gaussian)}


CRFS = {
    "psa": _crf(10, (80, 13, 10), (3, 3)),
    "irn": _crf(10, (50, 5, 10), (3, 3)),
    "deeplab": _crf(10, (67, 3, 4), (1, 3)),
    "largefov": _crf(10, (140, 5, 5), (3, 3)),
    "largefov_caffe": _crf(10, (49, 5, 4), (3, 3)),
    "seam_retrain": _crf(1, (32, 13, 10), (3, 3)),
}
"""The numbers of CRFs that had names."""

SHAPING = (
    *("model", "optim_wrapper", "param_scheduler", "train_cfg", "custom_hooks", "data_preprocessor", "seed"),
    "load_from",
)
"""What of a network config shapes the weights, besides the loader: as `common.training.identity` has it."""
HOW_TO_LOAD = ("num_workers", "persistent_workers", "prefetch_factor", "pin_memory")
FILLED_IN = ("root", "split", "labels", "label_kind", "pixel_labels", "thresholds", "seed", "inputs")
"""What the stage tells the training's data set: its parameters and inputs, compared by themselves."""


def comparable(record: Record, wanted: Record, step: Any, folder: Path, data: DataSet) -> tuple[Record, Record]:
    """An old record and a stamp such that they are equal where the two mean the same.

    step: the `Step`; folder: of the stage. Nothing in the folder is run.
    """
    stage = STAGES.get(record.get("stage"), record.get("stage"))
    if stage != wanted["stage"]:
        return {"stage": stage}, {"stage": wanted["stage"]}
    old, new = {**record, "stage": stage}, dict(wanted)
    old["inputs"] = {
        key: _input(given, wanted["inputs"].get(key), folder) for key, given in record.get("inputs", {}).items()
    }
    old["data"], new["data"] = _data(record.get("data", {}), wanted["data"], data)
    old["params"] = _parameters(record.get("params", {}), stage, wanted["params"])
    network = next((key for key, value in step.params.items() if isinstance(value, NetworkConfig)), None)
    if network in old["params"]:
        found = _networks(record, step, network, folder, data)
        if found is not None:
            for side, value in zip((old, new), found, strict=True):
                side["params"] = {key: item for key, item in side["params"].items() if key != "options"}
                side["params"][network] = value
    return old, new


def _input(old: Record, wanted: Record | None, folder: Path) -> Record:
    """What was read; `wanted` where it is that, by a digest which left the config of a network out."""
    files = recorded_files(folder.parent / old["stage"])
    known = None if files is None else digest({name: content for name, content in files.items() if name != "config.py"})
    same = wanted is not None and wanted["stage"] == old["stage"] and known == old["output"]
    return wanted if same else old  # type: ignore[return-value]


def _data(old: Record, wanted: Record, data: DataSet) -> tuple[Record, Record]:
    """It knew the classes by the bytes of the data set's description."""
    now = {**wanted, "description": sha256(data.root / DESCRIPTION)}
    keys = ("name", "splits", "description")
    return tuple({key: side[key] for key in keys if key in side} for side in (old, now))  # type: ignore[return-value]


def _parameters(old: Record, stage: str, wanted: Record) -> Record:
    names = PARAMETERS.get(stage, {})
    found = DEFAULTS.get(stage, {}) | {names.get(key, key): value for key, value in old.items()}
    if isinstance(found.get("crf"), str) and isinstance(wanted.get("crf"), dict):
        found["crf"] = CRFS.get(found["crf"], found["crf"])
    return found


def _networks(record: Record, step: Any, key: str, folder: Path, data: DataSet) -> tuple[Record, Record] | None:
    """What differs between the network that was trained and the one that is asked for; None: it cannot be told.

    Of a stage that was stopped the training itself compares: its checkpoint says what it belongs to.
    """
    if "output" not in record:
        return {}, {}
    ranks = record.get("machine", {}).get("ranks", 1)
    try:
        trained = read_plain((folder / "config.py").read_text(encoding="utf-8"))
        today = _resolved(step, key, data, ranks)
        if "init" in step.inputs:  # the weights to begin with are those of a stage
            trained, today = ({**side, "load_from": None} for side in (trained, today))
        old, new = _shaping(trained, data.num_classes, record["seed"]), _shaping(today, data.num_classes)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, UserError):  # one of them is no whole config
        return None
    flat_old, flat_new = dict(_flat(old)), dict(_flat(new))
    same = {name for name, value in flat_old.items() if name in flat_new and flat_new[name] == value}
    return tuple({k: v for k, v in side.items() if k not in same} for side in (flat_old, flat_new))  # type: ignore


def _resolved(step: Any, key: str, data: DataSet, ranks: int) -> Record:
    """A network config of today with what the training fills in."""
    from common.training.schedule import resolve_schedule

    cfg = read_config(step.params[key], step.params.get("options"))
    if step.params.get("best"):
        cfg.custom_hooks = [*cfg.get("custom_hooks", []), {"type": "KeepBestHook", **step.params["best"]}]
    resolve_schedule(cfg, _epoch_length(cfg.train_dataloader, step, data, ranks))
    return cfg.to_dict()


def _epoch_length(loader: Any, step: Any, data: DataSet, ranks: int) -> int:
    """Iterations of an epoch of one of the two samplers there were."""
    from common.training.paired_sampler import paired_iterations

    ids, sampler = data.ids(step.params["split"]), loader.get("sampler") or {}
    if sampler.get("type") != "StrongWeakSampler":
        return max(1, len(ids) // (loader.batch_size * ranks))
    masked = set(data.ids(step.params["pixel_labels"]) if step.params.get("pixel_labels") else ())
    weak = sum(image_id not in masked for image_id in ids)
    return paired_iterations(weak, sampler.get("strong", 1), loader.batch_size, ranks)


def _shaping(config: Record, classes: int, run_seed: int = 0) -> Record:
    """The part of a network config that shapes the weights; numbers of classes that the data set gives are left out."""
    found = json.loads(json.dumps({key: config.get(key) for key in SHAPING}, default=str))
    found["seed"] = (found["seed"] or 0) - run_seed  # a training's is the config's own and the run's
    loader = json.loads(json.dumps(config["train_dataloader"], default=str))
    found["train_dataloader"] = {key: value for key, value in loader.items() if key not in HOW_TO_LOAD}
    dataset = loader["dataset"]
    found["train_dataloader"]["dataset"] = {key: value for key, value in dataset.items() if key not in FILLED_IN}
    model = found["model"]
    for part, own in ((model, classes - 1), *((head, classes) for _, head in heads(model))):
        if part.get("num_classes") == own:
            del part["num_classes"]
    return found


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names with values; entries of lists of dicts by their number."""
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        value = {str(number): item for number, item in enumerate(value)}
    if not isinstance(value, Mapping) or not value:
        yield name, value
        return
    for key, item in value.items():
        yield from _flat(item, f"{name}.{key}" if name else str(key))
