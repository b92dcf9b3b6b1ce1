"""800 photos of animals with all masks: the limit of methods with fewer.

Expected, mIoU of the frequent classes on val: 59.2 (results/supervised, seed 0).
Time and memory: 21 minutes on one CPU core, 2.2 GB (measured while other jobs ran).
Data: voc12_animals (`wsseg data prepare voc12_animals`).
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/supervised/supervised_voc12_animals_quick_full.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import supervised

method = "supervised"
seed = 0
pixel_labels, images = "train_quick", "train_quick"
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = supervised(
    "../deeplab/deeplabv2_lite0_voc12_animals.py",
    pixel_labels,
    classes=frequent,
)
