"""Any recipe, small enough to run in seconds on a handful of the built-in shapes."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

from common.base.config import read_config
from common.data.dataset import open_dataset
from common.data.ids import write_ids
from common.data.prepare.shapes import make_shapes


def tiny_shapes(root: Path) -> Path:
    """Eight images of train_aug, four of train and of val; the names of other data sets' splits are there too."""
    make_shapes(root, train=8, val=4, size=64, seed=0)
    data = open_dataset(root)
    splits, ids = data.folder("splits"), data.ids("train")
    shutil.copyfile(splits / "train.txt", splits / "train_quick.txt")
    lists = {"train": ids[:4], "train_weak": ids[4:]}
    for prefix, n, split in itertools.product(("", "train_quick_"), (4, 8, 20, 50, 106), (0, 1)):
        lists |= {f"{prefix}{n}{side}_labeled_{split}": ids[:4] for side in ("", "-l", "-r")}
        lists[f"{prefix}{n}_unlabeled_{split}"] = ids[4:]
    for name, listed in lists.items():
        write_ids(splits / f"{name}.txt", listed)
    return root


def shrunk(recipe: Path, root: Path) -> dict[str, Any]:
    """Options for `load_recipe`: few iterations of small batches, no fetched weights."""
    options: dict[str, Any] = {"data.root": str(root)}
    for number, step in enumerate(read_config(recipe).pipeline):
        if "config" in step:
            options[f"pipeline.{number}.options"] = _few_iterations(recipe.parent / step.config, step.get("options"))
        if "classes" in step:
            options[f"pipeline.{number}.classes"] = None
        if "best" in step:
            options[f"pipeline.{number}.best"] = {**step.best, "canvas": None, "interval": 2}
        if "scales" in step:
            options[f"pipeline.{number}.scales"] = step.scales[:1]
        if step.get("squash"):
            options[f"pipeline.{number}.squash"] = 96
        if "sizes" in step:  # squashed photos
            options |= {f"pipeline.{number}.size": 96, f"pipeline.{number}.sizes": (96,)}
        if (canvas := step.get("canvas")) is not None:
            options[f"pipeline.{number}.canvas"] = min(canvas, 128) if isinstance(canvas, int) else (128, 128)
    return options


def _few_iterations(config: Path, own: dict[str, Any] | None) -> dict[str, Any]:
    network = read_config(config, own)
    options: dict[str, Any] = {"train_dataloader.batch_size": 4, "train_dataloader.num_workers": 0}
    if network.train_dataloader.sampler.get("strong", 1) > 2:
        options["train_dataloader.sampler.strong"] = 2  # half of the batch
    large = network.model.backbone.type in ("ResNet38", "DilatedResNeSt")
    if "min_iters" in network.train_cfg:
        options["train_cfg.min_iters"] = 1
    options["train_cfg.max_epochs" if "max_epochs" in network.train_cfg else "train_cfg.max_iters"] = 1 if large else 2
    if "package://" not in str(network.model.backbone.get("init_cfg")):  # weights that have to be fetched
        options["model.backbone.init_cfg"] = None
        options["optim_wrapper.optimizer.lr"] = 1e-9  # fifty random layers behind frozen norms explode if they learn
        if network.model.backbone.type == "DilatedResNeSt":
            options["model.backbone.depth"] = 50
        elif network.model.backbone.get("depth") == 101 and network.model.decode_head.in_channels == 2048:
            options |= {"model.backbone.depth": 18, "model.decode_head.in_channels": 512}
    if "init_cfg" in network.model.get("decode_head", {}):
        options["model.decode_head.init_cfg"] = None
    for number, transform in enumerate(network.train_dataloader.dataset.pipeline):
        if "size" in transform:
            options[f"train_dataloader.dataset.pipeline.{number}.size"] = min(transform["size"], 81 if large else 97)
        if transform.type == "Squash":
            options |= {f"train_dataloader.dataset.pipeline.{number}.{side}": 96 for side in ("height", "width")}
    return options
