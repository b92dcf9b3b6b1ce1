"""A CAM network without the other branches through ICD's seed rule on the animals, a control.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos and tags of train_quick. The masks
only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/icd/icd_voc12_animals_cam.py
"""

_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
from methods.icd.recipe import crf_labels, discriminated, seeds

method = "icd"
seed = 0

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

look = dict(canvas=241, scale=1.0)  # photos of 240 pixels
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
    *crf_labels(crf=_base_.crf_psa, confidence=0.5, **judge),
]
