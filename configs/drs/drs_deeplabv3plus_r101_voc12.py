"""DRS (AAAI 2021), the row of DeepLab v3+ on ResNet-101: maps and pseudo labels on train, mIoU on val.

Expected, mIoU: pseudo labels after the classifier about 63 (paper, quoted in qjadud1994/DRS issue 17);
DeepLab 70.4, with CRF 71.0, both on val that is resized and cropped to 513 (README of qjadud1994/DRS); this
recipe judges whole photos, so the numbers are not comparable.
Time and memory: not measured; the three networks need a GPU.
Data: voc12 (`wsseg data prepare voc12`) with saliency maps (the released code's saliency_map.zip) in its folder of
saliency; photos, tags and saliency of train_aug; the masks only judge.
Weights: VGG16 and ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/drs/drs_deeplabv3plus_r101_voc12.py
"""

_base_ = ["drs_deeplabv2_r101_coco_voc12.py"]
from common.fragments import with_configs

# The row of DeepLab v2 with v3+, judged on whole photos.
pipeline = with_configs(_base_.pipeline, deeplab="deeplabv3plus_r101_voc12.py")
