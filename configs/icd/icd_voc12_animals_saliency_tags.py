"""Saliency and tags without a network on the animals, a control of ICD.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos, tags and saliency of train_quick. The masks
only judge.
Weights: none.
Run: wsseg run configs/icd/icd_voc12_animals_saliency_tags.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import saliency_alone

method = "icd"
seed = 0
uses = ("tags", "saliency")

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

# Without the rule's conflict: this map says that the class is everywhere, so all other pixels would stay undefined.
rule = dict(salient=3, min_salient=0.01)
judge = dict(judged=images, classes=frequent)

pipeline = [
    *saliency_alone(images, rule=rule, **judge),
]
