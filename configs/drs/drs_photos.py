"""DRS on any photos: EfficientNet-Lite0, tags and saliency.

Expected: not measured; the same stages on 800 photos of animals: drs_voc12_animals.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with the lists train_aug, train and val, tags
and saliency maps of train_aug. Where there are masks of train or val, they judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/drs/drs_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py"]
from common.fragments import retrained
from methods.drs.recipe import pseudo_labels, refined_maps, suppressed_maps

method = "drs"
seed = 0
uses = ("tags", "saliency")

look = dict(size=320, sizes=(256, 320, 384))
rule = dict(salient=51, floor=0.2, conflict=0.9, conflicts=3)  # saliency above 50; alpha 0.2; three scores over 0.9

pipeline = [
    *suppressed_maps("cls_lite0_photos.py", "train_aug", **look, judged="train"),
    *refined_maps("refine_lite0_photos.py", "train_aug", **look, judged="train"),
    *pseudo_labels("refined", "train_aug", rule=rule, judged="train", plain="make_cam"),
    *retrained(
        "../deeplab/deeplabv2_lite0_photos.py",
        labels="pseudo",
        split="train_aug",
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
