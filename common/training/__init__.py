"""What mmengine's Runner lacks here. Importing this registers the parts by name for configs."""

from __future__ import annotations

from common.base import compat  # noqa: F401
from common.training.best import KeepBestHook, ValidateHook
from common.training.checkpoint import AtomicCheckpointHook
from common.training.judge import ShareBuffersHook
from common.training.log import JsonLogHook
from common.training.loop import SeekingTrainLoop
from common.training.paired_sampler import StrongWeakSampler
from common.training.param_groups import LrGroupConstructor
from common.training.poly_sgd import PolySGD, poly_lr
from common.training.sampler import SeekingSampler
from common.training.schedule import resolve_schedule

__all__ = [
    "AtomicCheckpointHook",
    "JsonLogHook",
    "KeepBestHook",
    "LrGroupConstructor",
    "PolySGD",
    "SeekingSampler",
    "SeekingTrainLoop",
    "ShareBuffersHook",
    "StrongWeakSampler",
    "ValidateHook",
    "poly_lr",
    "resolve_schedule",
]
