"""ICD on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags alone.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos and tags of train_quick. The masks
only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/icd/icd_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.icd.recipe import crf_labels, discriminated, seeds, superpixels

method = "icd"
seed = 0

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

look = dict(canvas=241, scale=1.0)  # photos of 240 pixels
felzenszwalb = dict(k=75, min_size=75, sigma=0.8, merge=64)  # starting points
judge = dict(judged=images, classes=frequent)

pipeline = [
    *superpixels("discriminator_lite0_voc12_animals.py", images, **felzenszwalb, **look),
    *discriminated("discriminator_lite0_voc12_animals.py", images, segments="merged", **look, squash=None, **judge),
    *seeds("discriminator", **judge),
    *crf_labels(crf=_base_.crf_psa, confidence=0.5, **judge),
    *retrained(
        "../deeplab/deeplabv2_lite0_voc12_animals.py",
        labels="pseudo",
        split=images,
        classes=frequent,
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
