"""Group-WSSS on any photos: EfficientNet-Lite0, tags and saliency.

Expected: not measured; the same stages on 800 photos of animals: group_wsss_voc12_animals.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with the lists train_aug, train and val, tags
and soft saliency maps of train_aug. Where there are masks of train or val, they judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/group_wsss/group_wsss_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py"]
from common.fragments import retrained, salient_labels
from methods.group_wsss.recipe import mined_maps

method = "group_wsss"
seed = 0
uses = ("tags", "saliency")

rule = dict(salient=32, soft=True, conflict=0.9, conflicts=2, strong=0.8, min_foreground=0.01)

pipeline = [
    *mined_maps("groups_lite0_photos.py", "train_aug", size=320, judged="train"),
    *salient_labels("make_cam", "train_aug", rule=rule, judged="train"),
    *retrained(
        "../deeplab/deeplabv2_lite0_photos.py",
        labels="pseudo",
        split="train_aug",
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
