"""DMT on photos of animals of 240 pixels, 156 of 3131 labelled, EfficientNet-Lite0.

Expected: not run.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), its lists `wsseg data splits data/voc12_animals`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/dmt/dmt_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import evaluations
from methods.dmt.recipe import confident_labels, mutual_rounds, supervised_phase

method = "dmt"
seed = 0
tuned_on = ("val",)  # learning rates, gammas and iterations
uses = ()  # nothing is known of the unlabelled images
pixel_labels, unlabelled = "20_labeled_0", "20_unlabeled_0"
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
    *supervised_phase(networks, iterations=600),
    *mutual_rounds(networks, unlabelled, epochs=1, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look),
    *confident_labels("b4", unlabelled, classes=frequent),
    *evaluations(dict(val_a0="a0", val_b0="b0", val="a5", val_b="b5"), classes=frequent, split="val", **look),
]
