"""Puzzle-CAM (ICIP 2021), the row of ResNeSt-269: DeepLab v3+ on val, on the pseudo labels of ResNeSt-101.

Expected, mIoU: DeepLab 71.9 (paper). Which networks of this row are ResNeSt-269 is not published. Here it is DeepLab
alone [default]: pseudo labels are published of ResNeSt-101 alone. All stages before it are shared with that row's run.
Time and memory: not measured; all three networks need a GPU, the authors' classifier four of them.
Data: voc12 (`wsseg data prepare voc12`), photos and tags of train_aug; the masks only judge.
Weights: resnest101_imagenet and resnest269_imagenet (github.com/zhanghang1989/ResNeSt), `wsseg weights import`.
Run: wsseg run configs/puzzlecam/puzzlecam_resnest269_voc12.py
"""

_base_ = ["puzzlecam_resnet50_voc12.py"]
from common.fragments import with_configs

# The row of ResNet-50 with other networks.
pipeline = with_configs(
    _base_.pipeline,
    cam="cam_resnest101_voc12.py",
    aff="aff_resnest101_voc12.py",
    deeplab="deeplabv3plus_resnest269_voc12.py",
)
