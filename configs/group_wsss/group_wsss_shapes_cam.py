"""A plain classifier's CAM through Group-WSSS's label rule on the built-in benchmark, a control.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`; its saliency is made from the truth, so labels that read it
are better than on photos.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/group_wsss/group_wsss_shapes_cam.py
"""

_base_ = ["../_base_/data/shapes.py"]
from common.fragments import cams, salient_labels

method = "group_wsss"
seed = 0
uses = ("tags", "saliency")

rule = dict(salient=32, soft=True, conflict=0.9, conflicts=2, strong=0.8, min_foreground=0.01)

pipeline = [
    # IRNet's classifier and CAMs there.
    *cams("../irnet/cam_lite0_shapes.py", "train_aug", scales=(1.5, 2.0), flip=True, threshold="best", judged="train"),
    *salient_labels("make_cam", "train_aug", rule=rule, judged="train"),
]
