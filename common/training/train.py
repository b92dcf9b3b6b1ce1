"""Train one network as its config says: `train_network` for recipes, `main` behind every methods/*/train.py."""

from __future__ import annotations

import argparse
import copy
import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import ConfigDict, DictAction
from mmengine.dist import barrier, broadcast_object_list, get_world_size, is_main_process
from torch.utils.data import DataLoader

import common.checkpoints.initial
import common.models.register  # noqa: F401  (both register what configs name)
from common.base.config import check_option, import_types, plain_text, read_config
from common.base.device import pick_device
from common.base.errors import UserError
from common.base.files import atomic_path, read_json, write_json
from common.base.memory import keep_freed_memory
from common.base.parallel import set_threads
from common.checkpoints.files import first_not_finite, save_file
from common.data.dataset import open_dataset
from common.data.reads import Reads, current_reads
from common.models.classes import check_classes, fill_classes
from common.training.best import KeepBestHook
from common.training.checkpoint import CHECKPOINT, deployed_state_dict, read_training_state
from common.training.datasets import set_data
from common.training.identity import earlier_identities, read_by, training_identity
from common.training.loader import build_loader, known_types
from common.training.log import trim_log
from common.training.runner import TrainRunner, start_process_group
from common.training.sampler import seeking
from common.training.schedule import is_weak_dataset, resolve_schedule

__all__ = ["main", "set_data", "train_network"]

WEIGHTS, CONFIG, FINISHED = "weights.pth", "config.py", "trained.json"


def train_network(
    cfg: Any,
    work_dir: str | Path,
    *,
    resume: bool = True,
    strict: bool = False,
    device: torch.device | str | None = None,
    launcher: str = "none",
    init: str | Path | None = None,
    threads: int | None = None,
    log: Callable[[str], None] = print,
) -> Path:
    """Train the network of `cfg` and write `weights.pth`, `config.py`, `log.jsonl` and `trained.json` in `work_dir`.

    A run that was killed goes on from `checkpoint.pth` and ends with the bytes of an unbroken one (CPU, same seed).

    Args:
        cfg: an mmengine Config of one network; it is not changed.
        resume: go on from the checkpoint in `work_dir`, return at once where this training is finished. The checkpoint
            of another training is put aside with a line in the log; with `strict` it is an error.
        device: None takes the GPU where there is one.
        launcher: "none" (this process alone), "pytorch" or "slurm" (every rank calls this).
        init: weights to start from, instead of `load_from` of the config.
        threads: of the CPU. None: those of the checkpoint that the training goes on from, else PyTorch's number now. A
            resumed training that changes them does not end with the bytes of an unbroken one; `trained.json` says so.
        log: receives lines for the user.

    Returns:
        The path of `weights.pth`: the model's state dict, tensors on the CPU. With a `KeepBestHook` it is the snapshot
        of the best mIoU, else the last one; with mmengine's EMAHook the averaged weights in either case.

    Raises:
        UserError: the config, data, device or a file is not as needed, or the loss or a weight is no longer finite;
            the message names the cure.
    """
    device = pick_device(device)
    if device.type == "cpu":
        keep_freed_memory()
    start_process_group(launcher, device, cfg.get("env_cfg", {}))
    work_dir = Path(work_dir).resolve()
    cfg = _prepare(cfg, work_dir, device, launcher, init)
    loader = build_loader(cfg, lambda line: _tell(log, f"{work_dir.name}: {line}"))
    resolve_schedule(cfg, seeking(loader).epoch_length(loader.batch_size))
    same = _identities(cfg, loader.dataset)
    identity = same[0]
    weights = work_dir / WEIGHTS
    if resume and weights.exists() and _finished(work_dir) in same:
        return weights
    state = _resume_state(work_dir, same, strict, log) if resume else None
    used = _use_threads(state, threads, device, lambda line: _tell(log, f"{work_dir.name}: {line}"))
    barrier()  # no rank clears away what another has yet to read
    if state is None and _is_first():
        for name in (FINISHED, WEIGHTS, CHECKPOINT):
            (work_dir / name).unlink(missing_ok=True)
        trim_log(work_dir / "log.jsonl", 0)
    runner = _build_runner(cfg, loader, device, identity, state, log)
    runner.threads = used
    _announce(runner, cfg, state)
    _run(runner, cfg)
    best = next((hook for hook in runner.hooks if isinstance(hook, KeepBestHook)), None)
    kept = deployed_state_dict(runner) if best is None else best.weights
    _check_finite(runner, kept)
    if _is_first():
        save_file(weights, kept)
        _write_config(cfg, work_dir / CONFIG)
        chosen = {} if best is None else {"best": {"iteration": best.iteration, "miou": best.miou}}
        write_json(work_dir / FINISHED, {"identity": identity, "iterations": runner.iter, "threads": used, **chosen})
        (work_dir / CHECKPOINT).unlink(missing_ok=True)
    barrier()
    return weights


def _prepare(cfg: Any, work_dir: Path, device: torch.device, launcher: str, init: str | Path | None) -> Any:
    """A copy of `cfg` with everything resolved that the Runner needs."""
    cfg = copy.deepcopy(cfg)
    missing = [key for key in ("model", "train_dataloader", "optim_wrapper", "train_cfg") if key not in cfg]
    if missing:
        raise UserError(f"{cfg.filename or 'The config'} has no '{missing[0]}': it is no network config.")
    import_types(cfg)
    cfg.work_dir, cfg.launcher = str(work_dir), launcher
    cfg.setdefault("default_scope", "mmseg")
    cfg.setdefault("seed", 0)
    cfg.randomness = ConfigDict(seed=cfg.seed)
    hooks = cfg.setdefault("default_hooks", ConfigDict())
    hooks.setdefault("runtime_info", ConfigDict(type="QuietInfoHook"))
    hooks.setdefault("logger", ConfigDict(type="JsonLogHook"))
    hooks.setdefault("checkpoint", ConfigDict(type="AtomicCheckpointHook"))
    hooks.setdefault("buffers", ConfigDict(type="ShareBuffersHook"))
    if init is not None:
        cfg.load_from = str(init)
    if cfg.get("load_from") and not Path(cfg.load_from).is_file():
        raise UserError(f"load_from: {cfg.load_from} does not exist.")
    if "Amp" in cfg.optim_wrapper.get("type", "") and device.type != "cuda":
        raise UserError("--amp needs a GPU: leave it out, or use --device cuda.")
    _prepare_data(cfg)
    return cfg


def _prepare_data(cfg: Any) -> None:
    dataset = cfg.train_dataloader.dataset
    if not is_weak_dataset(dataset):
        return
    dataset.seed = cfg.seed
    root = dataset.setdefault("root", cfg.get("data", {}).get("root"))
    if not root:
        raise UserError(f"{cfg.filename or 'The config'} names no data set: say --cfg-options data.root=FOLDER.")
    data = open_dataset(dataset.root)
    check_classes(cfg.model, data.num_classes, str(dataset.root))
    fill_classes(cfg.model, data.num_classes)


def _identities(cfg: Any, dataset: Any) -> list[str]:
    """This training's identity, and those that older checkpoints of it bear; the first rank looks at the files."""
    found: list[Any] = [None]
    if _is_first():
        reads = read_by(dataset, cfg, current_reads() or Reads())
        found = [[training_identity(cfg, reads), *earlier_identities(cfg)]]
    broadcast_object_list(found)
    return found[0]


def _finished(work_dir: Path) -> str | None:
    path = work_dir / FINISHED
    return read_json(path).get("identity") if path.exists() else None


def _use_threads(state: Any, threads: int | None, device: torch.device, say: Callable[[str], None]) -> list[int]:
    """Set the CPU threads; returns the numbers used in turn, none on a GPU."""
    if device.type != "cpu":
        return []
    before = list(state.get("threads", ())) if state else []
    wanted = threads or (before[-1] if before else torch.get_num_threads())
    set_threads(wanted)
    if before and wanted != before[-1]:
        say(f"it goes on with {wanted} threads, after {before[-1]}: its weights differ from those of an unbroken run.")
    return before if before and before[-1] == wanted else [*before, wanted]


def _resume_state(
    work_dir: Path, same: Collection[str], strict: bool, log: Callable[[str], None]
) -> dict[str, Any] | None:
    path = work_dir / CHECKPOINT
    if not path.exists():
        return None
    state = read_training_state(path)
    if state["identity"] in same:
        return state
    sentence = f"{path} belongs to a training with another config, seed, data or number of ranks"
    if strict:
        raise UserError(f"{sentence}: train without --resume, or in another --work-dir.")
    _tell(log, f"{sentence}; starting again.")
    return None


def _is_first() -> bool:
    return is_main_process()


def _tell(log: Callable[[str], None], line: str) -> None:
    """Say something once over all ranks."""
    if _is_first():
        log(line)


def _build_runner(
    cfg: Any, loader: DataLoader, device: torch.device, identity: str, state: Any, log: Callable[[str], None]
) -> TrainRunner:
    label = Path(cfg.work_dir).name
    with known_types():
        return TrainRunner(cfg, loader=loader, device=device, label=label, identity=identity, state=state, say=log)


def _announce(runner: TrainRunner, cfg: Any, state: dict[str, Any] | None) -> None:
    iterations, batch = cfg.train_cfg.max_iters, cfg.train_dataloader.get("batch_size")
    ranks = f" x {get_world_size()} ranks" if get_world_size() > 1 else ""
    start = f", going on after {state['iteration']}" if state else ""
    runner.say(
        f"{runner.label}: {cfg.model.type}, {iterations} iterations of batch {batch}{ranks} on {runner.device}{start}"
    )


def _run(runner: TrainRunner, cfg: Any) -> None:
    try:
        runner.train()
    except torch.cuda.OutOfMemoryError as error:
        batch = cfg.train_dataloader.get("batch_size")
        raise UserError(
            f"The GPU's memory does not hold batch {batch} of {runner.label}: lower train_dataloader.batch_size "
            "or use --amp."
        ) from error


def _check_finite(runner: TrainRunner, weights: dict[str, torch.Tensor]) -> None:
    """Refuse weights that hold a NaN or an infinity, on all ranks if they do on the first.

    Raises:
        UserError: naming the tensor.
    """
    broken = [first_not_finite(weights)]
    broadcast_object_list(broken)
    if broken[0] is not None:
        raise UserError(
            f"{runner.label}: {broken[0]} is not finite after {runner.iter} iterations; "
            "lower the learning rate, or look for empty or broken labels."
        )


def _write_config(cfg: Any, path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(plain_text(_without_places(cfg)), encoding="utf-8")


def _without_places(cfg: Any) -> Any:
    """The config without folders and files of this machine: the same training leaves the same bytes everywhere."""
    cfg = copy.deepcopy(cfg)
    for key in ("work_dir", "launcher", "load_from"):
        cfg.pop(key, None)
    cfg.get("data", {}).pop("root", None)
    dataset = cfg.train_dataloader.get("dataset", {})
    for key in ("root", "labels"):
        dataset.pop(key, None)
    for given in (dataset.get("inputs") or {}).values():
        given.pop("folder", None)
    return cfg


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The flags of mmseg's tools/train.py, and --device."""
    parser = argparse.ArgumentParser(description="Train one network from its config.")
    parser.add_argument("config", help="network config file")
    parser.add_argument("--work-dir", help="where weights and logs go (default: work_dirs/<config name>)")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the work dir")
    parser.add_argument("--amp", action="store_true", help="mixed precision (GPU)")
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, metavar="KEY=VALUE", help="override config keys")
    parser.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm"], default="none", help="who started the ranks"
    )
    parser.add_argument("--device", help="cpu, cuda or cuda:N (default: the GPU where there is one)")
    parser.add_argument("--local_rank", "--local-rank", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Train from the command line; 0 done, 2 bad input, 130 stopped by the user."""
    try:
        options = parse_args(argv)
        if options.local_rank is not None:  # torch.distributed.launch of old says it as a flag
            os.environ.setdefault("LOCAL_RANK", str(options.local_rank))
        plain = read_config(options.config).to_dict()
        for key in options.cfg_options or {}:
            check_option(plain, key, options.config)
        cfg = read_config(options.config, options.cfg_options)
        if options.amp:
            cfg.optim_wrapper.update(type="AmpOptimWrapper", loss_scale=cfg.optim_wrapper.get("loss_scale", "dynamic"))
        work_dir = options.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(options.config).stem}"
        weights = train_network(
            cfg, work_dir, resume=options.resume, strict=True, device=options.device, launcher=options.launcher
        )
        if _is_first():
            print(f"wrote {weights}")
        return 0
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command with --resume goes on from the last checkpoint.", file=sys.stderr)
        return 130
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


if __name__ == "__main__":
    sys.exit(main())
