"""Train Group-WSSS's network: `python methods/group_wsss/train.py configs/group_wsss/groups_vgg16_voc12.py`.

Add `--cfg-options model.pairs=N model.grid=32,32`, the number and size of the maps that it accumulates; without them it
says which. The stage `group_wsss.mine` finds them by itself.
"""

from __future__ import annotations

import sys

import methods.group_wsss.model  # noqa: F401  (registers the network and the data set)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
