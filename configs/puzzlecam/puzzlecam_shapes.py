"""Puzzle-CAM on the built-in benchmark, every stage small, for two CPU cores.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/puzzlecam/puzzlecam_shapes.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.puzzlecam.recipe import boundaries, pseudo_labels, puzzle_cams

method = "puzzlecam"
seed = 0

# All thresholds and steps are starting points: on pictures this small the CAM is coarse and its scores fall slowly, so
# they lie higher than on VOC.
pipeline = [
    *puzzle_cams("cam_lite0_shapes.py", "train_aug", scales=(1.5, 2.0), flip=True, threshold=0.55, judged="train"),
    *boundaries("aff_lite0_shapes.py", "train_aug", fg=0.70, bg=0.35, crf=_base_.crf_irn, judged="train"),
    *pseudo_labels(
        beta=10,
        exp_times=6,
        radius=5,
        canvas=128,
        background=0.55,
        crf=dict(_base_.crf_irn, iterations=1),
        confidence=0.7,
        thresholds="best",
        judged="train",
    ),
    *retrained(
        "../deeplab/deeplabv2_lite0_shapes.py",
        labels="pseudo",
        split="train_aug",
        scales=(1.0, 1.5, 2.0),
        flip=True,
        crf=_base_.crf_irn,
    ),
]
