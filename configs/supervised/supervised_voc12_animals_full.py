# The animals with all 3131 masks: the limit of methods with fewer.
_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import supervised  # noqa: E402  (mmengine wants the bases first)

method = "supervised"
seed = 0
pixel_labels, images = "train_aug", "train_aug"
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = supervised(
    "../deeplab/deeplabv2_lite0_voc12_animals.py",
    pixel_labels,
    classes=frequent,
)
