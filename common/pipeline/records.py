"""What a stage's record says of the code, the machine and the memory."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """Yield a function that gives the largest resident memory (MB) of this process since the block was entered."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # Linux: start the high-water mark anew

    def peak() -> float:
        with contextlib.suppress(OSError, StopIteration):
            lines = Path("/proc/self/status").read_text().splitlines()
            return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    yield peak


@functools.cache
def code_version() -> dict[str, str | None]:
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("git") else None
    return {"version": version("wsseg"), "commit": done.stdout.strip() if done and done.returncode == 0 else None}


@functools.cache
def versions() -> dict[str, str]:
    """Of the libraries that a result may depend on, and of Python."""
    names = ("torch", "torchvision", "mmengine", "mmcv-lite", "mmsegmentation", "numpy", "pillow")
    found = {name: _version(name) for name in names}
    return {"python": platform.python_version(), **{name: known for name, known in found.items() if known}}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def device_kind(name: str) -> str:
    """What `name` ("auto", "cpu", "cuda" or "cuda:N") comes to here, "cpu" or "cuda"; PyTorch is not asked."""
    if name != "auto":
        return name.partition(":")[0]
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return "cuda" if not hidden and any(Path("/dev").glob("nvidia[0-9]*")) else "cpu"


def machine(gpu: Any, threads: int, workers: int, ranks: int) -> dict[str, Any]:
    """The processor, how it was used, and the versions; gpu: the `torch.device` a stage computed on, or None."""
    name = None
    if gpu is not None:
        import torch

        name = torch.cuda.get_device_name(gpu)
    return {
        "cpu": platform.machine(),
        "threads": threads,
        "workers": workers,
        "ranks": ranks,
        "gpu": name,
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
