"""Train one of Strong-Weak's networks on masks of one list and pseudo labels of another.

`python methods/strong_weak/train.py configs/strong_weak/dual_vgg16_voc12.py --cfg-options
train_dataloader.dataset.split=train_weak+train train_dataloader.dataset.pixel_labels=train
train_dataloader.dataset.labels=work_dirs/irnet_r50_voc12/pseudo`. A recipe does the same.
"""

from __future__ import annotations

import sys

import methods.strong_weak.model  # noqa: F401  (registers the heads)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
