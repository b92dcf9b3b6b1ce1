"""ICD with saliency on the built-in benchmark.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`; its saliency is made from the truth, so labels that read it
are better than on photos.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/icd/icd_shapes_saliency.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.icd.recipe import discriminated, salient_seeds, seeds, superpixels

method = "icd"
seed = 0
uses = ("tags", "saliency")

look = dict(canvas=257, scale=2.0)  # pictures of 128 pixels, doubled
felzenszwalb = dict(k=75, min_size=20, sigma=0.8, merge=32)  # starting points
rule = dict(salient=3, conflict=0.0, min_salient=0.01)  # saliency below 0.01 of 255; 1 % of the pixels

pipeline = [
    *superpixels("discriminator_lite0_shapes.py", "train_aug", **felzenszwalb, **look),
    *discriminated("discriminator_lite0_shapes.py", "train_aug", segments="merged", **look, squash=256, judged="train"),
    *seeds("discriminator", judged="train"),
    *salient_seeds("discriminator", "train_aug", rule=rule, judged="train"),
    *retrained(
        "../deeplab/deeplabv2_lite0_shapes.py",
        labels="pseudo",
        split="train_aug",
        scales=(1.0, 1.5, 2.0),
        flip=True,
        crf=_base_.crf_irn,
    ),
]
