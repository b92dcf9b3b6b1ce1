"""A made-up run on a small `shapes`, with the files a real one has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts import CAM, CAMs, InstanceMaps, Instances, Labels
from common.base.files import write_json
from common.data.dataset import open_dataset
from common.data.prepare.shapes import make_shapes
from common.pipeline.recipe import config_digest

NETWORK = """# What the stage `cam` trains.
model = dict(type="CamClassifier", backbone=dict(type="DilatedResNet", depth=50, init_cfg=dict(weights="imagenet")))
"""
STAGES = ("cam", "make_cam", "eval_cam", "pseudo", "eval_pseudo", "instances", "segment", "val")


def make_run(
    root: Path, recipe: str = "toy_shapes", seed: int = 0, shift: float = 0.0, masks: str | None = None
) -> Path:
    """Write `root`/data and `root`/<recipe>-<seed>; `shift` is added to every measured number.

    masks: the split whose pixel labels are part of the supervision.
    """
    make_shapes(root / "data", train=6, val=3, size=64)
    data, run = open_dataset(root / "data"), root / f"{recipe}-{seed}"
    train, val = data.ids("train"), data.ids("val")
    for image_id in train:
        mask, tags = data.mask(image_id), np.array(data.tags(image_id))
        grid = mask[::4, ::4]
        maps = np.stack([0.7 * (grid == tag) + 0.2 for tag in tags]).astype(np.float32)
        CAMs(run / "make_cam").write(image_id, CAM(tags, maps, mask.shape))
        Labels(run / "pseudo").write(image_id, np.roll(np.where(mask == 255, 0, mask), 3, 1))
        label = data.instances(image_id).astype(np.uint16)
        label[label == 255] = 0
        count = int(label.max())
        InstanceMaps(run / "instances").write(
            image_id, Instances(np.linspace(0.2, 1, count, dtype=np.float32), label, np.ones(count, np.int64))
        )
    for image_id in val:
        Labels(run / "segment").write(image_id, np.where(data.mask(image_id) == 255, 0, data.mask(image_id)))
    names = data.classes
    iou = {name: round(0.3 + 0.05 * number, 3) for number, name in enumerate(names)}
    best = {"thresholds": [0.0, 0.1, 0.2, 0.3], "miou": [0.1, 0.35, 0.41, 0.2]}
    numbers: dict[str, dict[str, Any]] = {
        "eval_cam": {"miou": 0.41 + shift, "iou": iou, "threshold": 0.2, "threshold_rule": "best on these masks",
                     "curve": best, "images": 6},
        "eval_pseudo": {"miou": 0.6 + shift, "iou": iou, "images": 6},
        "val": {"miou": 0.55 + shift, "iou": {**iou, "boat": None}, "images": 3},
    }  # fmt: skip
    kinds = {"cam": "Weights", "make_cam": "CAMs", "pseudo": "Labels", "instances": "InstanceMaps", "segment": "Labels"}
    (root / "cam_toy.py").write_text(NETWORK)
    for name in STAGES:
        splits = {"val" if name in ("segment", "val") else "train": "", **({masks: ""} if masks else {})}
        made = stage(name, kinds.get(name, "Scores"), next(iter(splits)), seed, numbers.get(name, {}))
        made["data"]["splits"] = {split: data.fingerprint(split) for split in splits}
        if name == "cam":
            made["params"]["config"] = {"file": "cam_toy.py", "sha256": config_digest(root / "cam_toy.py")}
        write_json(run / name / "stage.json", made)
        read = {"images": dict.fromkeys(data.ids(next(iter(splits))), "0")}
        write_json(run / name / "reads.json", {"data": {**read, "weights": {"imagenet": "abc"}}, "code": {}})
    log = [{"iter": i, "loss": 1 / i, "loss_edge": 0.5 / i, "lr": [0.1 / i, 1 / i], "seconds": i} for i in range(1, 9)]
    text = "".join(json.dumps(line) + "\n" for line in log)
    (run / "cam" / "log.jsonl").write_text(text + '{"iter": 9, "lo', encoding="utf-8")
    write_json(run / "run.json", {
        "recipe": recipe, "method": "toy", "seed": seed, "digest": "d" * 64, "overrides": {},
        "data": {"name": "shapes", "root": str(root / "data")},
        "stages": list(STAGES), "config": "pipeline = [dict(stage='<train>')]\n", "supervision": masks,
    })  # fmt: skip
    return run


def stage(name: str, kind: str, split: str, seed: int, numbers: dict[str, Any]) -> dict[str, Any]:
    """One stage.json."""
    return {
        "format": 2, "name": name, "stage": name, "kind": kind, "mixed": [],
        "params": {"split": split},
        "inputs": {"weights": {"stage": "cam", "output": "0"}} if name == "make_cam" else {},
        "data": {"name": "shapes", "splits": {}}, "seed": seed, "output": "0",
        "code": {"version": "0.1.0", "commit": "abc123"}, "seconds": 12.5, "peak_memory_mb": 900, "images": None,
        "numbers": numbers,
        "machine": {"cpu": "x86_64", "threads": 2, "gpu": None, "versions": {"torch": "2.14.1", "numpy": "2.4"}},
        "pixel_labels": "evaluation" if numbers else "none", "finished": "2025-01-01T00:00:00+00:00",
    }  # fmt: skip
