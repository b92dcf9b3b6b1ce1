"""Train a network of Puzzle-CAM.

`python methods/puzzlecam/train.py configs/puzzlecam/cam_r50_voc12.py --work-dir DIR`
"""

from __future__ import annotations

import sys

import methods.puzzlecam.model  # noqa: F401  (registers PuzzleClassifier)
from common.training.train import main

if __name__ == "__main__":
    sys.exit(main())
