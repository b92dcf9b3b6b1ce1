"""DMT on 800 photos of animals of 240 pixels, 40 of them labelled.

Expected, mIoU of the frequent classes: pseudo labels 44.8, val 43.3 (results/dmt, seed 0).
Time and memory: 31 minutes on one CPU core, 1.7 GB (measured).
Data: voc12_animals (`wsseg data prepare voc12_animals`), its lists
`wsseg data splits data/voc12_animals --of train_quick`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/dmt/dmt_voc12_animals_quick.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import evaluations
from methods.dmt.recipe import confident_labels, mutual_rounds, supervised_phase

method = "dmt"
seed = 0
tuned_on = ("val",)  # learning rates, gammas, iterations and the split
uses = ()  # nothing is known of the unlabelled images
pixel_labels, unlabelled = "train_quick_20_labeled_1", "train_quick_20_unlabeled_1"  # split 0 has one horse
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

# There is one set of ImageNet weights for this backbone: the two networks differ in the initial values of their
# heads, and in the order and augmentation of the images.
lite0 = dict(
    labelled=pixel_labels,
    supervised="../supervised/deeplabv2_lite0_voc12_animals.py",
    mutual="mutual_lite0_voc12_animals.py",
)
networks = dict(a=dict(lite0, seed=1), b=dict(lite0, seed=2))
look = dict(canvas=None)

pipeline = [
    *supervised_phase(networks, iterations=400),
    *mutual_rounds(networks, unlabelled, epochs=1, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look),
    *confident_labels("b4", unlabelled, classes=frequent),
    *evaluations(dict(val_a0="a0", val_b0="b0", val="a5", val_b="b5"), classes=frequent, split="val", **look),
]
