"""DMT on the built-in benchmark, 12 of 240 pictures labelled: minutes on two CPU cores.

Expected, mIoU: pseudo labels 67.0, val 68.1 (results/dmt, mean of seeds 0 to 2).
Time and memory: 13 minutes on one CPU core, 1.5 GB (measured while another run used the other core).
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/dmt/dmt_shapes.py
"""

_base_ = ["../_base_/data/shapes.py"]
from common.fragments import evaluations
from methods.dmt.recipe import confident_labels, mutual_rounds, supervised_phase

method = "dmt"
seed = 0
tuned_on = ("val", "20_unlabeled_0")  # learning rates, gammas and iterations
uses = ()  # nothing is known of the unlabelled images
pixel_labels, unlabelled = "20_labeled_0", "20_unlabeled_0"

# There is one set of ImageNet weights for this backbone: the two networks differ in the initial values of their
# heads, and in the order and augmentation of the images.
lite0 = dict(
    labelled=pixel_labels,
    supervised="../supervised/deeplabv2_lite0_shapes.py",
    mutual="mutual_lite0_shapes.py",
)
networks = dict(a=dict(lite0, seed=1), b=dict(lite0, seed=2))
look = dict(canvas=None, scales=(1.5,))  # enlarged, as in training: the pictures have 128 pixels

pipeline = [
    *supervised_phase(networks, iterations=100),
    *mutual_rounds(networks, unlabelled, epochs=3, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look),
    *confident_labels("b4", unlabelled),
    *evaluations(dict(val_a0="a0", val_b0="b0", val="a5", val_b="b5"), split="val", **look),
]
