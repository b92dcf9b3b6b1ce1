"""IRNet's walk over the photo's gradients on the built-in benchmark, a control: no boundaries are learned.

Expected, mIoU: CAM 41.0, pseudo labels 57.9 (results/irnet, mean of seeds 0 to 2).
Time and memory: 10 seconds on one CPU core after irnet_shapes.py, which made the CAMs, 1.2 GB (measured).
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/irnet/irnet_shapes_gradients.py
"""

_base_ = ["../_base_/data/shapes.py"]
from common.fragments import cams
from methods.irnet.recipe import control_labels

method = "irnet"
seed = 0
tuned_on = ("train",)  # what it shares with irnet_shapes.py: learning rates and steps

pipeline = [
    *cams("cam_lite0_shapes.py", "train_aug", scales=(1.5, 2.0), flip=True, threshold="best", judged="train"),
    # By mIoU of the walked CAMs on the training pictures of another drawing (--seed 7), each at its best background:
    # contrast 1 gave 27.8, 3 52.5 and 10 34.9 with cells by a bicubic rule; with their mean colours, as it is now,
    # 2 gave 47.7, 3 52.1 (at 0.58) and 4.5 45.8. All with 2^6 steps of radius 5.
    *control_labels(contrast=3, beta=10, exp_times=6, radius=5, background=0.58, judged="train"),
]
