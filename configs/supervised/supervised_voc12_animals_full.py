"""The animals with all 3131 masks: the limit of methods with fewer.

Expected: not run.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`).
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/supervised/supervised_voc12_animals_full.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import supervised

method = "supervised"
seed = 0
pixel_labels, images = "train_aug", "train_aug"
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = supervised(
    "../deeplab/deeplabv2_lite0_voc12_animals.py",
    pixel_labels,
    classes=frequent,
)
