"""Train one of IRNet's networks: `python methods/irnet/train.py configs/irnet/irn_r50_voc12.py --work-dir DIR`."""

from __future__ import annotations

import sys

import methods.irnet.model  # noqa: F401  (registers InterPixelNet)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
