"""Golden files of the authors' code, `<prefix>*.npz` in this folder, and the functions they are compared with."""

from __future__ import annotations

import numpy as np
import torch

from methods.example.losses import region_loss
from tests.parity.compare import close

Golden = dict[str, np.ndarray]


def region_term(golden: Golden) -> None:
    """The loss of one image's regions; there is no file yet."""
    given = (torch.from_numpy(golden[key]) for key in ("scores", "regions", "colours"))
    close(region_loss(*given), golden["loss"], 1e-6, what="loss")


CASES = {"region_loss": region_term}
