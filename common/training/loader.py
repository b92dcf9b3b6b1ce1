"""The data loader of a training, built once: its sampler knows how long an epoch is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.config import ConfigDict
from mmengine.dist import get_world_size
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from common.base.errors import UserError
from common.training.sampler import seeking


@contextmanager
def known_types() -> Iterator[None]:
    """Inside, a type that nobody registered is a UserError.

    Raises:
        UserError: naming the type.
    """
    try:
        yield
    except KeyError as error:
        unknown = re.search(r"([\w.]+) is not in the ([\w.]+)", str(error))
        if unknown is None:
            raise
        raise UserError(f"The config names the type '{unknown[1]}', which is not registered ({unknown[2]}).") from error


def build_loader(cfg: Any, say: Callable[[str], None]) -> DataLoader:
    """The loader of `cfg.train_dataloader`, of any data set and any sampler with `seek` and `epoch_length`.

    A batch that the images do not fill is lowered in `cfg` to the largest that they do (`largest_batch` of the
    sampler, where it has one), and `say` receives a line.

    Raises:
        UserError: a type is not registered, the sampler cannot seek, or the data set refuses its parameters.
    """
    cfg.train_dataloader.setdefault("sampler", ConfigDict(type="SeekingSampler"))
    loader = _build(cfg)
    sampler, batch = seeking(loader), loader.batch_size
    largest = sampler.largest_batch(batch) if hasattr(sampler, "largest_batch") else batch
    if largest == batch:
        return loader
    cfg.train_dataloader.batch_size = largest
    ranks = f" on each of {get_world_size()} ranks" if get_world_size() > 1 else ""
    say(f"{len(loader.dataset)} training images do not fill a batch of {batch}{ranks}: it is lowered to {largest}.")
    return _build(cfg)


def _build(cfg: Any) -> DataLoader:
    with known_types(), DefaultScope.overwrite_default_scope(cfg.default_scope):
        return Runner.build_dataloader(cfg.train_dataloader, seed=cfg.seed)
