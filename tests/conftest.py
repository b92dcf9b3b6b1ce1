"""All tests: one torch thread, so that times and bytes do not depend on the machine's cores."""

import common  # isort: skip  # noqa: F401  (before torch)
import torch

torch.set_num_threads(1)
