"""The built-in benchmark with all 240 masks: the limit of methods with fewer.

Expected, mIoU on val: 79.3 (results/supervised, mean of seeds 0 to 2).
Time and memory: 2.5 minutes on one CPU core, 1.2 GB (measured while another run used the other core).
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/supervised/supervised_shapes_full.py
"""

_base_ = ["../_base_/data/shapes.py"]
from common.fragments import supervised

method = "supervised"
seed = 0
pixel_labels, images = "train", "train"

pipeline = supervised(
    "../deeplab/deeplabv2_lite0_shapes.py",
    pixel_labels,
    scales=(1.5,),  # enlarged, as in training: the pictures have 128 pixels
)
