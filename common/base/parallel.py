"""Cores, threads, and one function over many images in worker processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from common.base.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(count: int) -> None:
    """CPU threads of torch: now, or, where it is not imported yet, as soon as it is."""
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(count)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(count)


def parallel_map(
    function: Callable[[Item], Result], items: Sequence[Item], label: str, workers: int | None = None
) -> Iterator[Result]:
    """Results in the order of `items`, behind a progress bar; `workers` None: all cores, 1: in this process."""
    workers = min(workers or cores(), len(items) or 1)
    with Progress(len(items), label) as progress:
        if workers == 1:
            for item in items:
                yield function(item)
                progress.step()
            return
        with ProcessPoolExecutor(workers) as pool:
            for result in pool.map(function, items, chunksize=max(1, min(16, len(items) // workers))):
                yield result
                progress.step()
