# The animals with 156 of 3131 masks: the quick DeepLab v2 on these photos alone.
_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import supervised  # noqa: E402  (mmengine wants the bases first)

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
