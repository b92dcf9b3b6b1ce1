"""mmseg 1.2.2 and mmengine 0.10.7 with mmcv-lite and torch >= 2.6. Import this before anything of mmseg.

Two repairs, each with a test in tests/unit/test_compat.py that fails once the repair is no longer needed:

1. `import mmseg.models` imports `mmcv.ops`, which needs the compiled module `mmcv._ext` that mmcv-lite does not carry.
2. `torch.load` reads with weights_only=True; mmengine's checkpoints hold its log buffers next to the weights.

Worker processes started by spawn import modules again: whatever they unpickle must come from a module that imports this
one. All of common.models and common.training does.
"""

from __future__ import annotations

import importlib.util
import pickle
import sys
from types import ModuleType
from typing import Any


class _MissingExtension(ModuleType):
    """Stands for `mmcv._ext`: any operator can be looked up, none can be called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def operator(*_: Any, **__: Any) -> None:
            raise ModuleNotFoundError(f"mmcv operator {name} is compiled; mmcv-lite does not carry it")

        return operator


def import_mmcv_ops() -> None:
    """Import `mmcv.ops` over a stand-in for the compiled module.

    The stand-in is removed at once: mmengine's Runner takes its presence for an mmcv with operators, and breaks.
    """
    if "mmcv.ops" in sys.modules or importlib.util.find_spec("mmcv._ext") is not None:
        return
    sys.modules["mmcv._ext"] = _MissingExtension("mmcv._ext")
    try:
        importlib.import_module("mmcv.ops")
    finally:
        del sys.modules["mmcv._ext"]


def allow_mmengine_checkpoints() -> None:
    """Let weights_only=True read mmengine's checkpoints: the classes they hold are named, nothing else is let in."""
    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer

    def buffer_method(owner: Any, name: str) -> Any:
        """The `getattr` of a pickled HistoryBuffer: its public statistics, of no other class."""
        if owner is not HistoryBuffer or name.startswith("_"):
            raise pickle.UnpicklingError(f"getattr({owner!r}, {name!r}) is not allowed in a checkpoint")
        return getattr(owner, name)

    multiarray = np._core.multiarray
    by_old_name = [(getattr(multiarray, name), f"numpy.core.multiarray.{name}") for name in ("_reconstruct", "scalar")]
    dtypes = {type(np.dtype(code)) for code in ("f2", "f4", "f8", "i4", "i8", "u1", "?")}
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            (buffer_method, "builtins.getattr"),
            np.ndarray,
            np.dtype,
            multiarray._reconstruct,
            multiarray.scalar,
            *by_old_name,
            *dtypes,
        ]
    )


import_mmcv_ops()
allow_mmengine_checkpoints()
