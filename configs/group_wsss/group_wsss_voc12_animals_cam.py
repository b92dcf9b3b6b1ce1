"""A plain classifier's CAM through Group-WSSS's label rule on the animals, a control.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos, tags and saliency of train_quick. The
masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/group_wsss/group_wsss_voc12_animals_cam.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import cams, salient_labels

method = "group_wsss"
seed = 0
uses = ("tags", "saliency")

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

rule = dict(salient=32, soft=True, conflict=0.9, conflicts=2, strong=0.8, min_foreground=0.01)

pipeline = [
    # IRNet's classifier and CAMs there.
    *cams(
        "../irnet/cam_lite0_voc12_animals.py",
        images,
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold="best",
        judged=images,
        classes=frequent,
    ),
    *salient_labels("make_cam", images, rule=rule, judged=images, classes=frequent),
]
