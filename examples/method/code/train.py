"""Train the network alone: `python methods/example/train.py configs/example/net_shapes.py --work-dir DIR`."""

from __future__ import annotations

import sys

import methods.example.model  # noqa: F401  (registers the network)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
