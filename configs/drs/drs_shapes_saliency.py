"""Saliency and tags without a network on the built-in benchmark, a control of DRS.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`; its saliency is made from the truth, so these labels
are better than on photos.
Weights: none.
Run: wsseg run configs/drs/drs_shapes_saliency.py
"""

_base_ = ["../_base_/data/shapes.py"]
from common.fragments import saliency_alone

method = "drs"
seed = 0
uses = ("tags", "saliency")

rule = dict(salient=51, floor=0.2, conflict=0.9, conflicts=3)  # saliency above 50; alpha 0.2; three scores over 0.9

pipeline = [*saliency_alone("train_aug", rule=rule, judged="train")]
