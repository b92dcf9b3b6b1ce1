"""Saliency and tags without a network on the built-in benchmark, a control of ICD.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`; its saliency is made from the truth, so labels that read it
are better than on photos.
Weights: none.
Run: wsseg run configs/icd/icd_shapes_saliency_tags.py
"""

_base_ = ["../_base_/data/shapes.py"]
from common.fragments import saliency_alone

method = "icd"
seed = 0
uses = ("tags", "saliency")

# Without the rule's conflict: this map says that the class is everywhere, so all other pixels would stay undefined.
rule = dict(salient=3, min_salient=0.01)

pipeline = [
    *saliency_alone("train_aug", rule=rule, judged="train"),
]
