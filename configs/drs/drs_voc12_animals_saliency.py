"""Saliency and tags without a network on the animals, a control of DRS.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos, tags and saliency of train_quick. The
masks only judge.
Weights: none.
Run: wsseg run configs/drs/drs_voc12_animals_saliency.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import saliency_alone

method = "drs"
seed = 0
uses = ("tags", "saliency")

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

rule = dict(salient=51, floor=0.2, conflict=0.9, conflicts=3)  # saliency above 50; alpha 0.2; three scores over 0.9

pipeline = [*saliency_alone(images, rule=rule, judged=images, classes=frequent)]
