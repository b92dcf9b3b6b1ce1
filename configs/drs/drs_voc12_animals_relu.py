"""DRS without suppression on the animals, a control: plain ReLUs (share 1).

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos and tags of train_quick; the masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/drs/drs_voc12_animals_relu.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from methods.drs.recipe import refined_maps, suppressed_maps

method = "drs"
seed = 0

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

look = dict(size=224, sizes=(176, 224, 272), judged=images, classes=frequent)

pipeline = [
    *suppressed_maps("cls_lite0_voc12_animals.py", images, **look, options={"model.ratio": 1.0}),
    *refined_maps("refine_lite0_voc12_animals.py", images, **look),
]
