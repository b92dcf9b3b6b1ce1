"""SEAM on any photos: EfficientNet-Lite0, tags only.

Expected: not measured; the same stages on 800 photos of animals: seam_voc12_animals.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with the lists train_aug, train and val, and
tags of train_aug. Where there are masks of train or val, they judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/seam/seam_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.seam.recipe import affinity_labels, refined_cams

method = "seam"
seed = 0

look = dict(scales=(0.5, 1.0, 1.5), flip=True, normalisation="class_min_max", stride=1)

pipeline = [
    *refined_cams("cam_lite0_photos.py", "train_aug", **look, threshold="best", judged="train"),
    # The CAMs of this backbone fall slowly, so every alpha is smaller than in the paper.
    *affinity_labels(
        "../affinitynet/aff_lite0_photos.py",
        "train_aug",
        low_alpha=0.5,
        high_alpha=1.5,
        crf=_base_.crf_psa,
        walk=dict(alpha=1, beta=8, logt=6, radius=5, border="complete"),
        judged="train",
    ),
    *retrained(
        "../deeplab/deeplabv2_lite0_photos.py",
        labels="pseudo",
        split="train_aug",
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
