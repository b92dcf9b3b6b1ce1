"""Strong-Weak (ECCV 2020) on ResNet-101: the 1464 masks of train, weak labels for the other 9118 images of train_aug.

Expected, mIoU on val: 76.6 (from memory, not confirmed), with the weak labels of DSRG; here IRNet's.
Time and memory: not measured; the networks need a GPU.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`).
Weights: ResNet-50 and ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/strong_weak/strong_weak_r101_voc12.py
"""

_base_ = ["strong_weak_vgg16_voc12.py"]
from common.fragments import with_configs

# The row of VGG16 with another network.
pipeline = with_configs(_base_.pipeline, dual="dual_r101_voc12.py")
