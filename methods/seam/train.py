"""Train SEAM's network: `python methods/seam/train.py configs/seam/cam_resnet38_voc12.py --work-dir DIR`."""

from __future__ import annotations

import sys

import methods.seam.model  # noqa: F401  (registers SEAM)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
