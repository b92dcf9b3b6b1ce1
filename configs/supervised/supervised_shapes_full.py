# The built-in benchmark with all 240 masks: the limit of methods with fewer.
_base_ = ["../_base_/data/shapes.py"]
from common.fragments import supervised  # noqa: E402  (mmengine wants the bases first)

method = "supervised"
seed = 0
pixel_labels, images = "train", "train"

pipeline = supervised(
    "../deeplab/deeplabv2_lite0_shapes.py",
    pixel_labels,
    scales=(1.5,),  # enlarged, as in training: the pictures have 128 pixels
)
