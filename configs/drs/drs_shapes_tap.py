"""DRS with suppression behind the backbone, too, on the built-in benchmark, an ablation.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/drs/drs_shapes_tap.py
"""

_base_ = ["../_base_/data/shapes.py"]
from methods.drs.recipe import refined_maps, suppressed_maps

method = "drs"
seed = 0

look = dict(size=160, sizes=(128, 160, 192))

pipeline = [
    *suppressed_maps("cls_lite0_shapes.py", "train_aug", **look, judged="train", options={"model.tap": True}),
    *refined_maps("refine_lite0_shapes.py", "train_aug", **look, judged="train"),
]
