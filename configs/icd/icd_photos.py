"""ICD on any photos: EfficientNet-Lite0, tags alone.

Expected: not measured; the same stages on 800 photos of animals: icd_voc12_animals.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with the lists train_aug, train and val, and
tags of train_aug. Where there are masks of train or val, they judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/icd/icd_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.icd.recipe import crf_labels, discriminated, seeds, superpixels

method = "icd"
seed = 0

look = dict(canvas=641, scale=1.0)  # a larger photo is shrunk
felzenszwalb = dict(k=75, min_size=75, sigma=0.8, merge=64)

pipeline = [
    *superpixels("discriminator_lite0_photos.py", "train_aug", **felzenszwalb, **look),
    *discriminated(
        "discriminator_lite0_photos.py", "train_aug", segments="merged", **look, squash=None, judged="train"
    ),
    *seeds("discriminator", judged="train"),
    *crf_labels(crf=_base_.crf_psa, confidence=0.5, judged="train"),
    *retrained(
        "../deeplab/deeplabv2_lite0_photos.py",
        labels="pseudo",
        split="train_aug",
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
