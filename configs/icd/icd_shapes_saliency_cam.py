"""A CAM network without the other branches through ICD's seed rule with saliency, shapes, a control.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`; its saliency is made from the truth, so labels that read it
are better than on photos.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/icd/icd_shapes_saliency_cam.py
"""

_base_ = ["../_base_/data/shapes.py"]
from methods.icd.recipe import discriminated, salient_seeds, seeds

method = "icd"
seed = 0
uses = ("tags", "saliency")

look = dict(canvas=257, scale=2.0)  # pictures of 128 pixels, doubled
rule = dict(salient=3, conflict=0.0, min_salient=0.01)  # saliency below 0.01 of 255; 1 % of the pixels

pipeline = [
    *discriminated(
        "discriminator_lite0_shapes.py",
        "train_aug",
        segments=None,
        **look,
        squash=256,
        judged="train",
        options={"model.branches": False},
    ),
    *seeds("make_cam", judged="train"),
    *salient_seeds("make_cam", "train_aug", rule=rule, judged="train"),
]
