"""Saliency and tags without a network on the built-in benchmark, a control of ICD.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`; its saliency is made from the truth, so labels that read it
are better than on photos.
Weights: none.
Run: wsseg run configs/icd/icd_shapes_saliency_tags.py
"""

_base_ = ["../_base_/data/shapes.py"]
from methods.icd.recipe import saliency_alone

method = "icd"
seed = 0
uses = ("tags", "saliency")

rule = dict(salient=3, conflict=0.0, min_salient=0.01)  # saliency below 0.01 of 255; 1 % of the pixels

pipeline = [
    *saliency_alone("train_aug", rule=rule, judged="train"),
]
