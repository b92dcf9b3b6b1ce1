"""Saliency and tags without a network on the animals, a control of Group-WSSS.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos, tags and saliency of train_quick. The
masks only judge.
Weights: none.
Run: wsseg run configs/group_wsss/group_wsss_voc12_animals_saliency.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import saliency_alone

method = "group_wsss"
seed = 0
uses = ("tags", "saliency")

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

rule = dict(salient=32, soft=True, conflict=0.9, conflicts=2, strong=0.8, min_foreground=0.01)

pipeline = [*saliency_alone(images, rule=rule, judged=images, classes=frequent)]
