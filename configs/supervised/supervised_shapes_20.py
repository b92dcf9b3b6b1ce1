# The built-in benchmark with 12 of 240 masks: the quick DeepLab v2 on these pictures alone.
_base_ = ["../_base_/data/shapes.py"]
from common.fragments import supervised  # noqa: E402  (mmengine wants the bases first)

method = "supervised"
seed = 0
pixel_labels, images = "20_labeled_0", "train"

pipeline = supervised(
    "deeplabv2_lite0_shapes.py",
    pixel_labels,
    iterations=100,
    scales=(1.5,),  # enlarged, as in training: the pictures have 128 pixels
)
