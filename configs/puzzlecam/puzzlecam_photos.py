"""Puzzle-CAM on any photos: EfficientNet-Lite0, tags only.

Expected: not measured; the same stages on 800 photos of animals: puzzlecam_voc12_animals.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with the lists train_aug, train and val, and
tags of train_aug. Where there are masks of train or val, they judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/puzzlecam/puzzlecam_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.puzzlecam.recipe import boundaries, pseudo_labels, puzzle_cams

method = "puzzlecam"
seed = 0

pipeline = [
    *puzzle_cams(
        "cam_lite0_photos.py",
        "train_aug",
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold="best",
        judged="train",
    ),
    # The CAMs of this backbone fall slowly: all thresholds lie higher than in the paper. They are starting points.
    *boundaries("aff_lite0_photos.py", "train_aug", fg=0.50, bg=0.25, crf=_base_.crf_irn, judged="train"),
    *pseudo_labels(
        beta=10,
        exp_times=8,
        radius=5,
        canvas=16,  # it grows with the photo
        background=0.55,
        crf=dict(_base_.crf_irn, iterations=1),
        confidence=0.7,
        thresholds="best",
        judged="train",
    ),
    *retrained(
        "../deeplab/deeplabv2_lite0_photos.py",
        labels="pseudo",
        split="train_aug",
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
