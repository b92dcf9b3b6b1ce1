"""Strong-Weak on the built-in benchmark, 1/20 of the pictures with masks: 12.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/strong_weak/strong_weak_shapes_20.py
"""

_base_ = ["strong_weak_shapes.py"]
from common.fragments import until
from methods.strong_weak.recipe import dual

pixel_labels, weak = "20_labeled_{seed}", "20_unlabeled_{seed}"

pipeline = [
    *until(_base_.pipeline, "eval_pseudo"),
    *dual("dual_lite0_shapes.py", pixel_labels, weak, labels="pseudo", **_base_.schedule, **_base_.look),
]
