"""Strong-Weak on the built-in benchmark at 1/4 with noisier weak labels, a CAM's: both rows that learn from both kinds.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/strong_weak/strong_weak_shapes_cam.py
"""

_base_ = ["strong_weak_shapes.py"]
from common.fragments import cam_labels, until
from methods.strong_weak.recipe import baselines, dual

uses = ("tags (a CAM's labels)",)
config, labelled, weak = "dual_lite0_shapes.py", _base_.pixel_labels, _base_.weak

pipeline = [
    *until(_base_.pipeline, "eval_cam"),
    *cam_labels("pseudo", "train_aug", background=0.55, judged="train"),
    *dual(config, labelled, weak, labels="pseudo", **_base_.schedule, **_base_.look),
    *baselines(
        ("mixed",),
        config,
        labelled,
        weak,
        every="train_aug",
        labels="pseudo",
        **_base_.schedule,
        **_base_.look,
    ),
]
