"""ICD (CVPR 2020) with saliency, DeepLab v2 on VGG16: seeds on train_aug, mIoU on val.

Expected, mIoU: DeepLab 64.0 on val (from memory); seeds not published.
Time and memory: not measured; both networks need a GPU.
Data: voc12 (`wsseg data prepare voc12 --tags xml-no-difficult`) with saliency maps (the authors take OAA's, folder
saliency_aug) in its folder of saliency; photos, tags and saliency of train_aug; the masks only judge.
Weights: vgg16_20M, BGR minus the mean as Caffe has it: `wsseg weights import deeplab_largeFOV.pth --as vgg16_20M`;
vgg16_aspp: `wsseg weights import init.pth --as vgg16_aspp`.
Run: wsseg run configs/icd/icd_deeplabv2_vgg16_saliency_voc12.py
"""

_base_ = ["icd_deeplabv2_r101_saliency_voc12.py"]
from common.fragments import with_configs

# The row of ResNet-101 with VGG16 as the last network; the authors publish no constants for it.
pipeline = with_configs(_base_.pipeline, deeplab="deeplabv2_vgg16_voc12.py")
