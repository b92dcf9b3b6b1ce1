"""A CAM network without the other branches through ICD's seed rule with saliency, animals, a control.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos, tags and saliency of train_quick. The masks
only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/icd/icd_voc12_animals_saliency_cam.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from methods.icd.recipe import discriminated, salient_seeds, seeds

method = "icd"
seed = 0
uses = ("tags", "saliency")

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

look = dict(canvas=241, scale=1.0)  # photos of 240 pixels
rule = dict(salient=3, conflict=0.0, min_salient=0.01)  # saliency below 0.01 of 255; 1 % of the pixels
judge = dict(judged=images, classes=frequent)

pipeline = [
    *discriminated(
        "discriminator_lite0_voc12_animals.py",
        images,
        segments=None,
        **look,
        squash=None,
        **judge,
        options={"model.branches": False},
    ),
    *seeds("make_cam", **judge),
    *salient_seeds("make_cam", images, rule=rule, **judge),
]
