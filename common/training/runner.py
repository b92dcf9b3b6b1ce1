"""mmengine's Runner, quiet, on the device it is told, and resuming from our checkpoints."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import master_only
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel, is_model_wrapper, revert_sync_batchnorm
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from common.base.errors import UserError
from common.checkpoints.files import read_state_dict
from common.training.checkpoint import restore_training

RUNNER_KEYS = (
    *("model", "work_dir", "train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler", "auto_scale_lr"),
    *("val_dataloader", "val_cfg", "val_evaluator", "default_hooks", "custom_hooks", "data_preprocessor"),
    *("load_from", "launcher", "env_cfg", "log_processor", "visualizer", "default_scope", "randomness"),
)


class NoVisualizer:
    """Takes what the Runner tells its visualizer, and draws nothing."""

    dataset_meta: Any = None

    def add_config(self, config: Any) -> None:
        """Nothing is kept: the config lies next to the weights."""

    def add_scalars(self, numbers: dict[str, float], step: int, file_path: str | None = None) -> None:
        """Nothing is drawn: the numbers lie in `log.jsonl`."""

    def close(self) -> None:
        """Nothing is open."""


class TrainRunner(Runner):
    """A Runner for one training.

    Args:
        cfg: a network config whose schedule is resolved.
        loader: that of the training images, as `build_loader` makes it.
        device: where the model lives.
        label: name in progress lines.
        identity: stored in checkpoints, see `training_state`.
        state: the training state to resume from.
        say: receives lines for the user.
    """

    def __init__(
        self,
        cfg: Any,
        *,
        loader: DataLoader,
        device: torch.device,
        label: str,
        identity: str = "",
        state: dict[str, Any] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.threads: list[int] = []  # numbers of CPU threads, in the order they were used
        self.device, self.label, self.identity, self.state, self._say = device, label, identity, state, say
        arguments = {name: cfg[name] for name in RUNNER_KEYS if cfg.get(name) is not None}
        arguments["train_dataloader"] = loader
        # Managers of mmengine are kept by name for the life of the process: each training needs its own.
        super().__init__(**arguments, experiment_name=f"{label}_{time.time_ns()}", cfg=cfg)
        self._timestamp = "log"  # LoggerHook names a file of the visualizer after it

    @master_only
    def say(self, line: str) -> None:
        """Tell the user something, once over all ranks."""
        self._say(line)

    def setup_env(self, env_cfg: dict) -> None:
        """As in mmengine; the log folder is the work dir itself instead of one per start."""
        super().setup_env(env_cfg)
        self._timestamp = ""

    def build_logger(self, log_level: str = "WARNING", log_file: str | None = None, **kwargs: Any) -> MMLogger:
        """Warnings only, unless the config has a `log_level`; the progress line and `log.jsonl` tell the rest."""
        return MMLogger.get_instance(self._experiment_name, log_level=self.cfg.get("log_level", "WARNING"))

    def build_visualizer(self, visualizer: Any = None) -> Any:
        """None, unless the config asks for one: mmengine's would import matplotlib and open a figure."""
        return NoVisualizer() if visualizer is None else super().build_visualizer(visualizer)

    def _log_env(self, env_cfg: dict) -> None:
        pass

    def dump_config(self) -> None:
        """`train_network` writes the config next to the weights."""

    def wrap_model(self, model_wrapper_cfg: dict | None, model: torch.nn.Module) -> torch.nn.Module:
        """The model on its device; in distributed training inside DDP."""
        model = model.to(self.device)
        if is_model_wrapper(model):
            return model
        if not self.distributed:
            return revert_sync_batchnorm(model)
        if self.device.type == "cuda":
            return super().wrap_model(model_wrapper_cfg, model)
        options = {"broadcast_buffers": False, "find_unused_parameters": self.cfg.get("find_unused_parameters", False)}
        return MMDistributedDataParallel(module=model, **options)

    def load_or_resume(self) -> None:
        """Resume from `state`, or start with the weights `load_from` names."""
        if self.state is not None:
            restore_training(self, self.state)
            self.state = None
        elif self._load_from is not None:
            self._load_weights(Path(self._load_from))

    def _load_weights(self, path: Path) -> None:
        model = self.model.module if is_model_wrapper(self.model) else self.model
        weights, own = read_state_dict(path), model.state_dict()
        fitting = {key: value for key, value in weights.items() if key in own and own[key].shape == value.shape}
        if not fitting:
            raise UserError(f"{path} fits no layer of {type(model).__name__}: name weights of the same network.")
        model.load_state_dict(fitting, strict=False)
        skipped = [key for key in weights if key not in fitting] + [key for key in own if key not in fitting]
        if skipped:
            self.say(f"{self.label}: {len(fitting)} tensors from {path}; not in both, or of other shape: {skipped[:5]}")


def start_process_group(launcher: str, device: torch.device, env_cfg: dict) -> None:
    """Join the ranks that torchrun or SLURM started: NCCL on GPUs, gloo on CPUs.

    Raises:
        UserError: the launcher's environment is missing.
    """
    from torch import distributed

    if launcher == "none" or distributed.is_initialized():
        return
    if launcher == "pytorch" and "RANK" not in os.environ:
        raise UserError("--launcher pytorch needs RANK in the environment: start it with torchrun.")
    if device.type == "cuda":
        from mmengine.dist import init_dist

        init_dist(launcher, **{"backend": "nccl"} | dict(env_cfg.get("dist_cfg", {})))
        return
    if launcher != "pytorch":
        raise UserError(f"--launcher {launcher} trains on GPUs; on CPUs use torchrun and --launcher pytorch.")
    distributed.init_process_group("gloo")
