"""Group-WSSS without partners on the animals, a control: a group is the same photo three times.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos and tags of train_quick; the masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/group_wsss/group_wsss_voc12_animals_self.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from methods.group_wsss.recipe import mined_maps

method = "group_wsss"
seed = 0

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = [
    *mined_maps(
        "groups_lite0_voc12_animals.py",
        images,
        size=224,
        judged=images,
        classes=frequent,
        options={"train_dataloader.dataset.partners": "self"},
    ),
]
