"""Train one of DMT's networks: `python methods/dmt/train.py configs/dmt/mutual_r101_coco_voc12.py --work-dir DIR`."""

from __future__ import annotations

import sys

import methods.dmt.model  # noqa: F401  (registers MutualHead)
from common.train import main

if __name__ == "__main__":
    sys.exit(main())
