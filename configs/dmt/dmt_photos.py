"""DMT on any photos: EfficientNet-Lite0, masks of the list train, no labels of the list train_weak.

Expected: not measured; the same stages on 800 photos of animals: dmt_voc12_animals_quick.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with the lists train (with masks), train_weak
(without) and val, whose masks judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/dmt/dmt_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py"]
from common.fragments import evaluations
from methods.dmt.recipe import confident_labels, mutual_rounds, supervised_phase

method = "dmt"
seed = 0
uses = ()  # nothing is known of the unlabelled images
pixel_labels, unlabelled = "train", "train_weak"

# There is one set of ImageNet weights for this backbone: the two networks differ in the initial values of their
# heads, and in the order and augmentation of the images.
lite0 = dict(
    labelled=pixel_labels,
    supervised="../supervised/deeplabv2_lite0_photos.py",
    mutual="mutual_lite0_photos.py",
)
networks = dict(a=dict(lite0, seed=1), b=dict(lite0, seed=2))
look = dict(canvas=None)

pipeline = [
    *supervised_phase(networks, iterations=600),
    *mutual_rounds(networks, unlabelled, epochs=1, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look),
    *confident_labels("b4", unlabelled),
    *evaluations(dict(val_a0="a0", val_b0="b0", val="a5", val_b="b5"), split="val", **look),
]
