"""What a stage's record says of the code, the machine and the memory."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from common.files import sha256


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


def machine(device: Any, threads: int, workers: int, ranks: int) -> dict[str, Any]:
    import torch

    return {
        "cpu": platform.machine(),
        "threads": threads,
        "workers": workers,
        "ranks": ranks,
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def content_digest(folder: Path) -> str:
    """SHA-256 over all files of a work directory but the records, which hold times: equal runs have equal digests."""
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.name not in ("stage.json", "run.json") and file.suffix in (".npz", ".png", ".pth"):
            total.update(f"{file.relative_to(folder)} {sha256(file)}\n".encode())
    return total.hexdigest()
