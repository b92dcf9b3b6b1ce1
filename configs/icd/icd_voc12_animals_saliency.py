"""ICD with saliency on 800 photos of animals of 240 pixels: EfficientNet-Lite0.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos, tags and saliency of train_quick. The masks
only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/icd/icd_voc12_animals_saliency.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import retrained
from methods.icd.recipe import discriminated, salient_seeds, seeds, superpixels

method = "icd"
seed = 0
uses = ("tags", "saliency")

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

look = dict(canvas=241, scale=1.0)  # photos of 240 pixels
felzenszwalb = dict(k=75, min_size=75, sigma=0.8, merge=64)  # starting points
rule = dict(salient=3, conflict=0.0, min_salient=0.01)  # saliency below 0.01 of 255; 1 % of the pixels
judge = dict(judged=images, classes=frequent)

pipeline = [
    *superpixels("discriminator_lite0_voc12_animals.py", images, **felzenszwalb, **look),
    *discriminated("discriminator_lite0_voc12_animals.py", images, segments="merged", **look, squash=None, **judge),
    *seeds("discriminator", **judge),
    *salient_seeds("discriminator", images, rule=rule, **judge),
    *retrained(
        "../deeplab/deeplabv2_lite0_voc12_animals.py",
        labels="pseudo",
        split=images,
        classes=frequent,
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
