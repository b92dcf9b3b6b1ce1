"""Puzzle-CAM (ICIP 2021), the row of ResNeSt-269: DeepLab v3+ on val, on the pseudo labels of ResNeSt-101.

Expected, mIoU: DeepLab 71.9 (paper). Which networks of this row are ResNeSt-269 is not published. Here it is DeepLab
alone [default]: pseudo labels are published of ResNeSt-101 alone. All stages before it are shared with that row's run.
Time and memory: not measured; all three networks need a GPU, the authors' classifier four of them.
Data: voc12 (`wsseg data prepare voc12`), photos and tags of train_aug; the masks only judge.
Weights: resnest101_imagenet and resnest269_imagenet (github.com/zhanghang1989/ResNeSt), `wsseg weights import`.
Run: wsseg run configs/puzzlecam/puzzlecam_resnest269_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.puzzlecam.recipe import boundaries, pseudo_labels, puzzle_cams

method = "puzzlecam"
seed = 0

pipeline = [
    # The classifier sees images and their four tiles. CAMs of the tagged classes, summed over four scales and the
    # mirror image. The snapshot of the last epoch; the authors' choice, which sees masks and marks all that follows:
    # best=dict(by="cam", split="train", interval=330).
    *puzzle_cams(
        "cam_resnest101_voc12.py",
        "train_aug",
        scales=(0.5, 1.0, 1.5, 2.0),
        flip=True,
        threshold="best",
        judged="train",
    ),
    # Confident pixels teach class boundaries.
    *boundaries("aff_resnest101_voc12.py", "train_aug", fg=0.40, bg=0.10, crf=_base_.crf_irn, judged="train"),
    # Pseudo labels: 2^8 = 256 steps, a background of 0.35, and one iteration of a CRF on the labels.
    *pseudo_labels(
        beta=10,
        exp_times=8,
        radius=5,
        canvas=512,
        background=0.35,
        crf=dict(_base_.crf_irn, iterations=1),
        confidence=0.7,
        thresholds=tuple(step / 20 for step in range(1, 16)),
        judged="train",
    ),
    # DeepLab v3+, judged with four scales, mirror images and CRF.
    *retrained(
        "deeplabv3plus_resnest269_voc12.py",
        labels="pseudo",
        split="train_aug",
        scales=(0.5, 1.0, 1.5, 2.0),
        flip=True,
        merge="sum",
        crf=_base_.crf_psa,
    ),
]
