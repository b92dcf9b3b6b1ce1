"""Train one of AffinityNet's networks: `python methods/affinitynet/train.py configs/affinitynet/aff_vgg16_voc12.py`."""

from __future__ import annotations

import sys

import methods.affinitynet.labels  # noqa: F401  (registers AffinityNet and MergeScores)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
