"""Puzzle-CAM with L_pcls alone on the built-in benchmark, a control: the tiles' maps are not pulled to the image's.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/puzzlecam/puzzlecam_shapes_pcls.py
"""

_base_ = ["../_base_/data/shapes.py"]
from methods.puzzlecam.recipe import puzzle_cams

method = "puzzlecam"
seed = 0

pipeline = puzzle_cams(
    "pcls_lite0_shapes.py", "train_aug", scales=(1.5, 2.0), flip=True, threshold=0.55, judged="train"
)
