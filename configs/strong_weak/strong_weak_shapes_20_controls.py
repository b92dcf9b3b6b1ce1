"""Strong-Weak's baselines on the built-in benchmark at 1/20: 12 masks.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/strong_weak/strong_weak_shapes_20_controls.py
"""

_base_ = ["strong_weak_shapes_20.py"]
from common.fragments import until
from methods.strong_weak.recipe import baselines

pipeline = [
    *until(_base_.pipeline, "eval_pseudo"),
    *baselines(
        ("strong", "weak", "mixed", "pooled", "balanced"),
        "dual_lite0_shapes.py",
        _base_.pixel_labels,
        _base_.weak,
        every="train_aug",
        labels="pseudo",
        **_base_.schedule,
        **_base_.look,
    ),
]
