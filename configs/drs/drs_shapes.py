"""DRS on the built-in benchmark, every stage small.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`; its saliency is made from the truth, so labels that read it
are better than on photos.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/drs/drs_shapes.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.drs.recipe import pseudo_labels, refined_maps, suppressed_maps

method = "drs"
seed = 0
uses = ("tags", "saliency")

look = dict(size=160, sizes=(128, 160, 192))
# Starting points, the paper's.
rule = dict(salient=51, floor=0.2, conflict=0.9, conflicts=3)  # saliency above 50; alpha 0.2; three scores over 0.9

pipeline = [
    *suppressed_maps("cls_lite0_shapes.py", "train_aug", **look, judged="train"),
    *refined_maps("refine_lite0_shapes.py", "train_aug", **look, judged="train"),
    *pseudo_labels("refined", "train_aug", rule=rule, judged="train", plain="make_cam"),
    *retrained(
        "../deeplab/deeplabv2_lite0_shapes.py",
        labels="pseudo",
        split="train_aug",
        scales=(1.0, 1.5, 2.0),
        flip=True,
        crf=_base_.crf_irn,
    ),
]
