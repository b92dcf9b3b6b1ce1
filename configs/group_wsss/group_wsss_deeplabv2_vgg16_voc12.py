"""Group-WSSS (AAAI 2021), the row of DeepLab v2 on VGG16: maps and pseudo labels on train, mIoU on val.

Expected, mIoU: DeepLab 63.3 on val (paper, from memory); maps and pseudo labels were not published.
Time and memory: not measured; the two networks need a GPU.
Data: voc12 (`wsseg data prepare voc12`) with soft saliency maps (the authors use DSS's) in its folder of saliency;
photos, tags and saliency of train_aug; the masks only judge.
Weights: VGG16 of ImageNet, which torchvision fetches at the first use; vgg16_aspp, DeepLab v2's initial ones:
`wsseg weights import FILE --as vgg16_aspp`.
Run: wsseg run configs/group_wsss/group_wsss_deeplabv2_vgg16_voc12.py
"""

_base_ = ["group_wsss_deeplabv2_r101_voc12.py"]
from common.fragments import with_configs

# The row of ResNet-101 with VGG16 as the last network.
pipeline = with_configs(_base_.pipeline, deeplab="deeplabv2_vgg16_voc12.py")
