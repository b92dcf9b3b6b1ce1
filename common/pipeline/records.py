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
        Path("/proc/self/clear_refs").write_text("5")  # Linux: reset the high-water mark

    def peak() -> float:
        with contextlib.suppress(OSError, StopIteration):
            lines = Path("/proc/self/status").read_text().splitlines()
            return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    yield peak


ROOT = Path(__file__).resolve().parents[2]
CODE = ("common", "methods", "configs", "pyproject.toml")
"""What a result is made with; a change elsewhere, say of a table, does not make the code another."""
PACKAGES = {
    "torch": ("torch",),
    "torchvision": ("torchvision",),
    "mmengine": ("mmengine",),
    "mmcv": ("mmcv", "mmcv-lite"),
    "mmsegmentation": ("mmsegmentation",),
    "numpy": ("numpy",),
    "scipy": ("scipy",),
    "pillow": ("pillow",),
    "opencv": ("opencv-python-headless", "opencv-python"),
    "pydensecrf": ("pydensecrf2", "pydensecrf"),
}
"""Name in the records -> the distributions that may provide it, the first that is installed counts."""


@functools.cache
def code_version() -> dict[str, str | None]:
    """The package's version and the commit, `-dirty` where the code differs from it; one look a process.

    Untracked files count unless git ignores them.
    """
    commit = _git("rev-parse", "--short=12", "HEAD")
    if commit and _git("status", "--porcelain", "--untracked-files=normal", "--", *CODE):
        commit += "-dirty"
    return {"version": version("wsseg"), "commit": commit or None}


def _git(*words: str) -> str:
    """What git says about the checkout; empty where there is none."""
    if not shutil.which("git"):
        return ""
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@functools.cache
def versions() -> dict[str, str]:
    """The versions of Python and of the packages that may change a number; those that are not there are left out."""
    found = {"python": platform.python_version()}
    for name, distributions in PACKAGES.items():
        for distribution in distributions:
            with contextlib.suppress(PackageNotFoundError):
                found.setdefault(name, version(distribution))
    return found


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
        "versions": dict(versions()),
    }


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
