"""The processes of one run: a single one, or those that torchrun or SLURM started."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

from common.base.errors import UserError

PATIENCE = timedelta(days=14)


class Ranks:
    """Meeting points over a key-value store.

    No process group is opened here: on the CPU networks train in rank 0 alone, so that a run gives the same bytes
    whatever the number of processes, and on GPUs the training engine opens its own.
    """

    def __init__(self, launcher: str = "none") -> None:
        self.rank, self.world, self.store = 0, 1, None
        if launcher == "none":
            return
        names = {"pytorch": ("RANK", "WORLD_SIZE"), "slurm": ("SLURM_PROCID", "SLURM_NTASKS")}[launcher]
        try:
            self.rank, self.world = (int(os.environ[name]) for name in names)
            host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        except KeyError as error:
            raise UserError(
                f"--launcher {launcher} needs {error.args[0]} in the environment: start it with torchrun or srun."
            ) from error
        from torch.distributed import PrefixStore, TCPStore

        serves = self.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
        self.store = PrefixStore("wsseg", TCPStore(host, port, self.world, is_master=serves, timeout=PATIENCE))

    @property
    def first(self) -> bool:
        """Whether this process writes the records and prints."""
        return self.rank == 0

    def gather(self, key: str, value: Any) -> list[Any]:
        """Every rank's JSON-able `value`, in the order of ranks; returns when all have come. `key` is used once."""
        if self.store is None:
            return [value]
        self.store.set(f"{key}/{self.rank}", json.dumps(value))
        names = [f"{key}/{rank}" for rank in range(self.world)]
        self.store.wait(names, PATIENCE)
        return [json.loads(self.store.get(name)) for name in names]
