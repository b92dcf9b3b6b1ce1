"""`python -m benchmarks [NAME...] [--full]`: the table of ratios."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import platform
from collections.abc import Callable
from pathlib import Path

import torch

import benchmarks
from benchmarks.result import Result


def find() -> dict[str, Callable[[bool], Result]]:
    """Name -> benchmark, from every module of the package."""
    found: dict[str, Callable[[bool], Result]] = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.name.startswith("_"):
            found |= getattr(importlib.import_module(f"benchmarks.{module.name}"), "BENCHMARKS", {})
    return dict(sorted(found.items()))


def processor() -> str:
    """The model of the CPU as Linux names it, otherwise its architecture."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main() -> None:
    """Run the chosen benchmarks, a line as each ends."""
    available = find()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of: {', '.join(available)}")
    parser.add_argument("--full", action="store_true", help="sizes of a VOC image also for the original (minutes, GB)")
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.names) - set(available))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}: there are {', '.join(available)}")
    torch.set_num_threads(1)
    print(f"{processor()}, torch {torch.__version__}, one thread, CPU seconds")
    print(f"{'':24}{'original':>12}{'ours':>12}{'ratio':>9}  error")
    for name in chosen.names or available:
        result = available[name](chosen.full)
        times = f"{_time(result.original):>12}{_time(result.ours):>12}{result.ratio:>8.1f}x"
        print(f"{name:24}{times}  {result.error}\n{'':24}{result.note}", flush=True)


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


if __name__ == "__main__":
    main()
