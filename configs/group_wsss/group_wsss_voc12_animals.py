"""Group-WSSS on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags and saliency.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos, tags and saliency of train_quick. The
masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/group_wsss/group_wsss_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import retrained, salient_labels
from methods.group_wsss.recipe import mined_maps

method = "group_wsss"
seed = 0
uses = ("tags", "saliency")

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

# Starting points, the released code's.
rule = dict(salient=32, soft=True, conflict=0.9, conflicts=2, strong=0.8, min_foreground=0.01)

pipeline = [
    *mined_maps("groups_lite0_voc12_animals.py", images, size=224, judged=images, classes=frequent),
    *salient_labels("make_cam", images, rule=rule, judged=images, classes=frequent),
    *retrained(
        "../deeplab/deeplabv2_lite0_voc12_animals.py",
        labels="pseudo",
        split=images,
        classes=frequent,
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
