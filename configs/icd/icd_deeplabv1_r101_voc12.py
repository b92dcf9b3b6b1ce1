"""ICD (CVPR 2020), tags alone, DeepLab v1 on ResNet-101: seeds on train_aug, mIoU on val.

Expected, mIoU: seeds without CRF 60.2 and 60.3 (two reruns of the authors, js-fan/ICD issue 4), with CRF 62.2 (paper,
quoted there; reruns 62.2 and 62.4);
DeepLab 64.1 on val (a third-party list of results, which says DeepLab v1; the authors' README says v2).
Time and memory: not measured; both networks need a GPU.
Data: voc12 (`wsseg data prepare voc12 --tags xml-no-difficult`), photos and tags of train_aug; the masks only judge.
Weights: vgg16_20M, BGR minus the mean as Caffe has it: `wsseg weights import deeplab_largeFOV.pth --as vgg16_20M`;
ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/icd/icd_deeplabv1_r101_voc12.py
"""

_base_ = ["icd_deeplabv2_r101_voc12.py"]
from common.fragments import with_configs

# The row of DeepLab v2 with v1, of one large field of view; the authors publish no constants for it.
pipeline = with_configs(_base_.pipeline, deeplab="deeplabv1_r101_voc12.py")
