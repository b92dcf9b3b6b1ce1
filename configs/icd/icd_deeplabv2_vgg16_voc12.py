"""ICD (CVPR 2020), tags alone, DeepLab v2 on VGG16: seeds on train_aug, mIoU on val.

Expected, mIoU: seeds without CRF 60.2 and 60.3 (two reruns of the authors, js-fan/ICD issue 4), with CRF 62.2 (paper,
quoted there; reruns 62.2 and 62.4);
DeepLab 61.2 on val (from memory).
Time and memory: not measured; both networks need a GPU.
Data: voc12 (`wsseg data prepare voc12 --tags xml-no-difficult`), photos and tags of train_aug; the masks only judge.
Weights: vgg16_20M, BGR minus the mean as Caffe has it: `wsseg weights import deeplab_largeFOV.pth --as vgg16_20M`;
vgg16_aspp: `wsseg weights import init.pth --as vgg16_aspp`.
Run: wsseg run configs/icd/icd_deeplabv2_vgg16_voc12.py
"""

_base_ = ["icd_deeplabv2_r101_voc12.py"]
from common.fragments import with_configs

# The row of ResNet-101 with VGG16 as the last network; the authors publish no constants for it.
pipeline = with_configs(_base_.pipeline, deeplab="deeplabv2_vgg16_voc12.py")
