"""Group-WSSS's stages: a training that accumulates maps, and these maps."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from pathlib import Path

import numpy as np

from common.artifacts import Squashed, Weights
from common.base.config import read_config
from common.base.errors import UserError
from common.pipeline import Image, NetworkConfig, PerImage, Run, every_rank, per_image
from common.stages import train
from methods.group_wsss.maps import MinedMap, MinedMaps


@every_rank
def mine(run: Run, config: NetworkConfig, split: str, options: dict | None = None) -> Weights:
    """Train a `GroupNetwork`, which keeps the maps of its training images in `store.levels`.

    config, split, options: as of the stage `train`. How many maps there are follows from the tags, how large they are
    from the network.
    """
    pairs = sum(len(run.data.tags(image_id)) for image_id in run.data.ids(split))
    if not pairs:
        raise UserError(f"No image of '{split}' has a tag: a group needs some.")
    room = {"model.pairs": pairs, "model.grid": _grid(config, options, run.data.num_classes)}
    train(run, config, split=split, options={**(options or {}), **room})


def mined_maps(run: Run, weights: Weights, split: str) -> PerImage[MinedMaps]:
    """The maps that a training has accumulated, in levels of 255 on the squashed frame.

    split: the images that it learned from.
    """
    from common.checkpoints.files import read_state_dict

    state, rows = read_state_dict(weights.file), _rows(run, split)
    learned = read_config(weights.config).train_dataloader.dataset.split
    if "store.levels" not in state:
        raise UserError(f"'{weights.name}' has accumulated no maps: name a stage 'group_wsss.mine'.")
    levels = state["store.levels"].numpy()
    if learned != split or len(levels) != rows[None]:
        raise UserError(
            f"'{weights.name}' learned from '{learned}' with {len(levels)} tags, '{split}' has {rows[None]}: name the "
            "list that it learned from."
        )
    if not state["store.written"].any():
        raise UserError(f"'{weights.name}' has accumulated no map: they count from the second epoch on, so train two.")

    def maps(image: Image) -> MinedMap:
        first, keys = rows[image.id], np.array(image.tags, np.int64)
        own = levels[first : first + len(keys)].astype(np.float32) / 255
        return MinedMap(keys, own, image.size, Squashed(*levels.shape[1:]))

    return per_image(maps, split=split)


def _rows(run: Run, split: str) -> dict[str | None, int]:
    """Image id -> where its maps begin; None -> how many there are."""
    rows, count = {}, 0
    for image_id in run.data.ids(split):
        rows[image_id] = count
        count += len(run.data.tags(image_id))
    return rows | {None: count}


def _grid(config: Path, options: dict | None, classes: int) -> tuple[int, int]:
    """(h, w) of the network's maps of the squashed photos.

    Raises:
        UserError: the photos are not squashed, so their maps have no common grid.
    """
    import torch

    from common.base.config import import_types
    from common.checkpoints.networks import build_model, without_init
    from common.models.classes import fill_classes

    cfg = read_config(config, options)
    first = cfg.train_dataloader.dataset.pipeline[0]
    if first.type != "Squash":
        raise UserError(f"{config}: its pipeline must begin with Squash, because maps are accumulated on one grid.")
    import_types(cfg)
    fill_classes(cfg.model, classes)
    with torch.device("meta"):
        model = build_model({"model": without_init(cfg.model.to_dict())})
        return tuple(model.class_maps(torch.zeros(1, 3, first.height, first.width)).shape[-2:])
