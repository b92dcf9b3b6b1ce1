"""Puzzle-CAM (ICIP 2021), the row of ResNeSt-269: DeepLab v3+ on val, on the pseudo labels of ResNeSt-101.

Expected, mIoU: DeepLab 71.9 (paper). Which networks of this row are ResNeSt-269 is not published. Here it is DeepLab
alone [default]: pseudo labels are published of ResNeSt-101 alone. All stages before it are shared with that row's run.
Time and memory: not measured; all three networks need a GPU, the authors' classifier four of them.
Data: voc12 (`wsseg data prepare voc12`), photos and tags of train_aug; the masks only judge.
Weights: resnest101_imagenet and resnest269_imagenet (github.com/zhanghang1989/ResNeSt), `wsseg weights import`.
Run: wsseg run configs/puzzlecam/puzzlecam_resnest269_voc12.py
"""

_base_ = ["puzzlecam_resnest101_voc12.py"]
from common.fragments import retrained

shared = [stage for stage in _base_.pipeline if stage["name"] not in ("deeplab", "segment", "val")]

pipeline = [
    *shared,
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
