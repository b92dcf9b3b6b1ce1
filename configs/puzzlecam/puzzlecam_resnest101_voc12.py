"""Puzzle-CAM (ICIP 2021), the row of ResNeSt-101: CAM and pseudo labels on train, DeepLab v3+ on val.

Expected, mIoU: CAM 61.85, after the walk 71.92, pseudo labels 72.46 (paper, from memory), DeepLab 66.9 (paper).
Time and memory: not measured; all three networks need a GPU, the authors' classifier four of them.
Data: voc12 (`wsseg data prepare voc12`), photos and tags of train_aug; the masks only judge.
Weights: resnest101_imagenet (github.com/zhanghang1989/ResNeSt): `wsseg weights import FILE --as resnest101_imagenet`.
Run: wsseg run configs/puzzlecam/puzzlecam_resnest101_voc12.py
"""

_base_ = ["puzzlecam_resnet50_voc12.py"]
from common.fragments import with_configs

# The row of ResNet-50 with other networks.
pipeline = with_configs(
    _base_.pipeline,
    cam="cam_resnest101_voc12.py",
    aff="aff_resnest101_voc12.py",
    deeplab="deeplabv3plus_resnest101_voc12.py",
)
