"""DRS on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags and saliency.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos, tags and saliency of train_quick. The
masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/drs/drs_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import retrained
from methods.drs.recipe import pseudo_labels, refined_maps, suppressed_maps

method = "drs"
seed = 0
uses = ("tags", "saliency")

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

look = dict(size=224, sizes=(176, 224, 272), judged=images, classes=frequent)
# Starting points, the paper's.
rule = dict(salient=51, floor=0.2, conflict=0.9, conflicts=3)  # saliency above 50; alpha 0.2; three scores over 0.9

pipeline = [
    *suppressed_maps("cls_lite0_voc12_animals.py", images, **look),
    *refined_maps("refine_lite0_voc12_animals.py", images, **look),
    *pseudo_labels("refined", images, rule=rule, judged=images, classes=frequent, plain="make_cam"),
    *retrained(
        "../deeplab/deeplabv2_lite0_voc12_animals.py",
        labels="pseudo",
        split=images,
        classes=frequent,
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
