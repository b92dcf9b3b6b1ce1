"""WSGCN (ICME 2021), the row of DeepLab v2 from COCO: partial and complete labels on train, mIoU on val.

Expected, mIoU: complete labels 66.7, with CRF 68.0 (on train); DeepLab 68.7 on val and 69.3 on test
(README of Xavier-Pan/WSGCN).
Time and memory: not measured; the three networks need a GPU.
Data: voc12 (`wsseg data prepare voc12`), photos and tags of train_aug; the masks only judge.
Weights: ResNet-50 of ImageNet, which torchvision fetches at the first use; resnet101_coco, which saw masks of COCO:
`wsseg weights import deeplabv1_resnet101-coco.pth --as resnet101_coco`.
Run: wsseg run configs/wsgcn/wsgcn_deeplabv2_r101_coco_voc12.py
"""

_base_ = ["wsgcn_deeplabv2_r101_imagenet_voc12.py"]
from common.fragments import with_configs

# The row from ImageNet with another last network.
pipeline = with_configs(_base_.pipeline, deeplab="deeplabv2_r101_coco_voc12.py")
