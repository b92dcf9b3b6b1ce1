"""A plain classifier's CAM through DRS's label rule on the animals, a control.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos, tags and saliency of train_quick. The
masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/drs/drs_voc12_animals_cam.py
"""

_base_ = ["../_base_/data/voc12_animals.py"]
from common.fragments import cams, salient_labels

method = "drs"
seed = 0
uses = ("tags", "saliency")

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

rule = dict(salient=51, floor=0.2, conflict=0.9, conflicts=3)  # saliency above 50; alpha 0.2; three scores over 0.9

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
