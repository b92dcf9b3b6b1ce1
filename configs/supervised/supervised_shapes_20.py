"""The built-in benchmark with 12 of 240 masks: the quick DeepLab v2 on these pictures alone.

Expected, mIoU on val: 51.8 (results/supervised, mean of seeds 0 to 2).
Time and memory: 70 seconds on one CPU core, 1.2 GB (measured while another run used the other core).
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/supervised/supervised_shapes_20.py
"""

_base_ = ["../_base_/data/shapes.py"]
from common.fragments import supervised

method = "supervised"
seed = 0
pixel_labels, images = "20_labeled_0", "train"

pipeline = supervised(
    "deeplabv2_lite0_shapes.py",
    pixel_labels,
    iterations=100,
    scales=(1.5,),  # enlarged, as in training: the pictures have 128 pixels
)
