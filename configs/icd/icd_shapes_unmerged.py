"""ICD with superpixels as Felzenszwalb's program gives them on the built-in benchmark, a control.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/icd/icd_shapes_unmerged.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from methods.icd.recipe import crf_labels, discriminated, seeds, superpixels

method = "icd"
seed = 0

look = dict(canvas=257, scale=2.0)  # pictures of 128 pixels, doubled
felzenszwalb = dict(k=75, min_size=20, sigma=0.8, merge=None)

pipeline = [
    *superpixels("discriminator_lite0_shapes.py", "train_aug", **felzenszwalb, **look),
    *discriminated(
        "discriminator_lite0_shapes.py", "train_aug", segments="superpixels", **look, squash=256, judged="train"
    ),
    *seeds("discriminator", judged="train"),
    *crf_labels(crf=_base_.crf_psa, confidence=0.5, judged="train"),
]
