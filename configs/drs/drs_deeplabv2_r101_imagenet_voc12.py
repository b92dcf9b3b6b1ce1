"""DRS (AAAI 2021), the row of DeepLab v2 on ResNet-101 from ImageNet: maps and pseudo labels on train, mIoU on val.

Expected, mIoU: pseudo labels after the classifier about 63 (paper, quoted in qjadud1994/DRS issue 17);
not published; the authors start from COCO.
Time and memory: not measured; the three networks need a GPU.
Data: voc12 (`wsseg data prepare voc12`) with saliency maps (the released code's saliency_map.zip) in its folder of
saliency; photos, tags and saliency of train_aug; the masks only judge.
Weights: VGG16 and ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/drs/drs_deeplabv2_r101_imagenet_voc12.py
"""

_base_ = ["drs_deeplabv2_r101_coco_voc12.py"]
from common.fragments import with_configs

# The same without COCO's masks.
pipeline = with_configs(_base_.pipeline, deeplab="deeplabv2_r101_imagenet_voc12.py")
