"""Train one of DMT's networks; a recipe does the same for all of them.

Phase 0 is a supervised training: `python methods/dmt/train.py configs/supervised/deeplabv2_r101_coco_voc12.py
--cfg-options train_dataloader.dataset.split=20_labeled_0 train_dataloader.dataset.pixel_labels=20_labeled_0`. A round
(`configs/dmt/mutual_*.py`) also learns from the other network's labels: `split=20_unlabeled_0+20_labeled_0`,
`labels=RUN/labels_b0`, `label_kind=ConfidentLabels` of the same data set, and `load_from=RUN/a0/weights.pth`.
"""

from __future__ import annotations

import sys

import methods.dmt.model  # noqa: F401  (registers MutualHead)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
