"""Train one of DRS's networks: `python methods/drs/train.py configs/drs/cls_vgg16_voc12.py --work-dir DIR`."""

from __future__ import annotations

import sys

import methods.drs.model  # noqa: F401  (registers the networks)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
