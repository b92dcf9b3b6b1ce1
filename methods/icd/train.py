"""Train ICD's network: `python methods/icd/train.py configs/icd/discriminator_vgg16_voc12.py --work-dir DIR`."""

from __future__ import annotations

import sys

import methods.icd.model  # noqa: F401  (registers the network)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
