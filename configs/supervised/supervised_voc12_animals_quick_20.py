"""800 photos of animals with 40 masks: the quick DeepLab v2 on these photos alone.

Expected, mIoU of the frequent classes on val: 40.2 (results/supervised, seed 0).
Time and memory: 15 minutes on one CPU core, 1.5 GB (measured).
Data: voc12_animals (`wsseg data prepare voc12_animals`), its lists
`wsseg data splits data/voc12_animals --of train_quick`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/supervised/supervised_voc12_animals_quick_20.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import supervised

method = "supervised"
seed = 0
pixel_labels, images = "train_quick_20_labeled_1", "train_quick"
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = supervised(
    "deeplabv2_lite0_voc12_animals.py",
    pixel_labels,
    iterations=400,
    classes=frequent,
)
