"""Puzzle-CAM on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags only, for two CPU cores.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos and tags of train_quick; the masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/puzzlecam/puzzlecam_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.puzzlecam.recipe import boundaries, pseudo_labels, puzzle_cams

method = "puzzlecam"
seed = 0

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = [
    *puzzle_cams(
        "cam_lite0_voc12_animals.py",
        images,
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold="best",
        judged=images,
        classes=frequent,
    ),
    # Thresholds, steps and background are starting points.
    *boundaries(
        "aff_lite0_voc12_animals.py",
        images,
        fg=0.50,
        bg=0.25,
        crf=_base_.crf_irn,
        judged=images,
        classes=frequent,
    ),
    *pseudo_labels(
        beta=10,
        exp_times=6,  # the grid has a quarter of the cells of a full-size photo: 64 steps instead of 256
        radius=5,
        canvas=240,
        background=0.55,
        crf=dict(_base_.crf_irn, iterations=1),
        confidence=0.7,
        thresholds="best",
        judged=images,
        classes=frequent,
    ),
    *retrained(
        "../deeplab/deeplabv2_lite0_voc12_animals.py",
        labels="pseudo",
        split=images,
        classes=frequent,
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
