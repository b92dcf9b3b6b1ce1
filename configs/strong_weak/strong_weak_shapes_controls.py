"""Strong-Weak's baselines on the built-in benchmark at 1/4, and new branches on the trunks of two of its networks.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/strong_weak/strong_weak_shapes_controls.py
"""

_base_ = ["strong_weak_shapes.py"]
from common.fragments import until
from methods.strong_weak.recipe import baselines, fresh_branches

config, labelled, weak = "dual_lite0_shapes.py", _base_.pixel_labels, _base_.weak
same = dict(**_base_.schedule, **_base_.look)
lists = dict(every="train_aug", labels="pseudo")

pipeline = [
    *until(_base_.pipeline, "dual"),
    # The masks alone; and the paper's reason, that the shared trunk gets better.
    *baselines(("strong",), config, labelled, weak, **lists, **same),
    *fresh_branches(dict(dual="dual", strong="strong"), config, labelled, frozen=4, **same),
    # Weak labels alone, and both kinds in one branch.
    *baselines(("weak", "mixed", "pooled", "balanced"), config, labelled, weak, **lists, **same),
]
