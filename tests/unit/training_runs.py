"""Trainings in this process, in processes of their own, on two ranks, and killed, for the tests of the engine."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from pathlib import Path

from common.training.train import main

CPU = ("--device", "cpu")

VALIDATION = """
val_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="WeakDataset", root="{root}", split="val", pipeline=[dict(type="Pack")]),
)
val_evaluator = dict(type="CountImages")
val_cfg = dict(type="ValLoop")
train_cfg = dict(max_epochs=2, val_interval=4)
"""
"""A validation of the config itself; say which data set: `VALIDATION.format(root=...)`."""


def train(config: Path, work_dir: Path, *arguments: str) -> bytes:
    """The bytes of `weights.pth`."""
    assert main([str(config), "--work-dir", str(work_dir), *CPU, *arguments]) == 0
    return (work_dir / "weights.pth").read_bytes()


def log_lines(work_dir: Path) -> list[dict]:
    """The lines of `log.jsonl` without the seconds."""
    lines = [json.loads(line) for line in (work_dir / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def column(work_dir: Path, key: str) -> list:
    """One entry of all lines that are no validation."""
    return [line[key] for line in log_lines(work_dir) if "val" not in line]


def in_a_process(arguments: list[str], env: dict[str, str] | None = None) -> multiprocessing.Process:
    """`main` in a forked process, which has everything imported already."""

    def run() -> None:
        os.environ.update(env or {})
        sys.exit(main(arguments))

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def kill_when_logged(config: Path, work_dir: Path, iteration: int) -> None:
    """Start the training in a process of its own and SIGKILL it once it has logged `iteration`."""
    process = in_a_process([str(config), "--work-dir", str(work_dir), *CPU])
    deadline = time.monotonic() + 60
    try:
        while not ((work_dir / "log.jsonl").exists() and _logged(work_dir) >= iteration):
            assert process.is_alive(), "the training ended before it could be killed"
            assert time.monotonic() < deadline, "the training logs nothing"
            time.sleep(0.02)
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL


def _logged(work_dir: Path) -> int:
    whole = [line for line in (work_dir / "log.jsonl").read_text().splitlines(keepends=True) if line.endswith("\n")]
    return json.loads(whole[-1])["iter"] if whole else 0


def kill_at(config: Path, work_dir: Path, moment: str, *arguments: str, ranks: int = 1) -> None:
    """Train until the config's hook `KillHere` ends the process at `moment`."""
    start = _two_ranks if ranks == 2 else _one
    first, *others = start([str(config), "--work-dir", str(work_dir), *CPU, *arguments], {"KILL_AT": moment})
    first.join(timeout=60)
    for process in (first, *others):
        process.kill()
        process.join()
    assert first.exitcode == -signal.SIGKILL
    assert not (work_dir / "weights.pth").exists()


def train_on_two_ranks(config: Path, work_dir: Path, *arguments: str) -> bytes:
    """`train` on two gloo ranks."""
    processes = _two_ranks([str(config), "--work-dir", str(work_dir), *CPU, *arguments], {})
    for process in processes:
        process.join(timeout=60)
        process.kill()
    assert [process.exitcode for process in processes] == [0, 0]
    return (work_dir / "weights.pth").read_bytes()


def _one(arguments: list[str], env: dict[str, str]) -> list[multiprocessing.Process]:
    return [in_a_process(arguments, env)]


def _two_ranks(arguments: list[str], env: dict[str, str]) -> list[multiprocessing.Process]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": "2"}
    position = [arguments[0], "--launcher", "pytorch", *arguments[1:]]
    return [in_a_process(position, env | address | {"RANK": str(r), "LOCAL_RANK": str(r)}) for r in range(2)]
