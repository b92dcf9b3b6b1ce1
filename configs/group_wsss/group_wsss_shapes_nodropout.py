"""Group-WSSS without the graph dropout on the built-in benchmark, a control.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/group_wsss/group_wsss_shapes_nodropout.py
"""

_base_ = ["../_base_/data/shapes.py"]
from methods.group_wsss.recipe import mined_maps

method = "group_wsss"
seed = 0

pipeline = [
    *mined_maps(
        "groups_lite0_shapes.py",
        "train_aug",
        size=192,
        judged="train",
        options={"model.drop_rate": None},
    ),
]
