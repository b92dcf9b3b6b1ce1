"""The animals with 156 of 3131 masks: the quick DeepLab v2 on these photos alone.

Expected: not run.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), its lists `wsseg data splits data/voc12_animals`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/supervised/supervised_voc12_animals_20.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import supervised

method = "supervised"
seed = 0
pixel_labels, images = "20_labeled_0", "train_aug"
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = supervised(
    "deeplabv2_lite0_voc12_animals.py",
    pixel_labels,
    iterations=600,
    classes=frequent,
)
