"""Saliency and tags without a network on the built-in benchmark, a control of Group-WSSS.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`; its saliency is made from the truth, so these labels
are better than on photos.
Weights: none.
Run: wsseg run configs/group_wsss/group_wsss_shapes_saliency.py
"""

_base_ = ["../_base_/data/shapes.py"]
from common.fragments import saliency_alone

method = "group_wsss"
seed = 0
uses = ("tags", "saliency")

rule = dict(salient=32, soft=True, conflict=0.9, conflicts=2, strong=0.8, min_foreground=0.01)

pipeline = [*saliency_alone("train_aug", rule=rule, judged="train")]
