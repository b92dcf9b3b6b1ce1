"""What mmengine's Runner lacks here. Importing this registers the parts by name for configs."""

from __future__ import annotations

from common import compat  # noqa: F401
from common.engine.best import KeepBestHook
from common.engine.checkpoint import AtomicCheckpointHook, load_state_dict_file
from common.engine.log import JsonLogHook
from common.engine.loop import SeekingTrainLoop
from common.engine.paired_sampler import StrongWeakSampler
from common.engine.param_groups import LrGroupConstructor
from common.engine.poly_sgd import PolySGD, poly_lr
from common.engine.sampler import SeekingSampler
from common.engine.schedule import resolve_schedule

__all__ = [
    "AtomicCheckpointHook",
    "JsonLogHook",
    "KeepBestHook",
    "LrGroupConstructor",
    "PolySGD",
    "SeekingSampler",
    "SeekingTrainLoop",
    "StrongWeakSampler",
    "load_state_dict_file",
    "poly_lr",
    "resolve_schedule",
]
