"""Group-WSSS on the built-in benchmark, every stage small.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`; its saliency is made from the truth, so labels that read it
are better than on photos.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/group_wsss/group_wsss_shapes.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import retrained, salient_labels
from methods.group_wsss.recipe import mined_maps

method = "group_wsss"
seed = 0
uses = ("tags", "saliency")

# Starting points, the released code's.
rule = dict(salient=32, soft=True, conflict=0.9, conflicts=2, strong=0.8, min_foreground=0.01)

pipeline = [
    *mined_maps("groups_lite0_shapes.py", "train_aug", size=192, judged="train"),
    *salient_labels("make_cam", "train_aug", rule=rule, judged="train"),
    *retrained(
        "../deeplab/deeplabv2_lite0_shapes.py",
        labels="pseudo",
        split="train_aug",
        scales=(1.0, 1.5, 2.0),
        flip=True,
        crf=_base_.crf_irn,
    ),
]
