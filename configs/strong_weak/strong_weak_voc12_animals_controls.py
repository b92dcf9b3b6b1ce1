"""Strong-Weak on 800 photos of animals, controls: the 200 masks alone, and the dual network without its second branch.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), its lists
`wsseg data splits data/voc12_animals --of train_quick`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/strong_weak/strong_weak_voc12_animals_controls.py
"""

_base_ = ["strong_weak_voc12_animals.py"]
from common.fragments import until
from methods.strong_weak.recipe import baselines

pipeline = [
    *until(_base_.pipeline, "eval_pseudo"),
    *baselines(
        ("strong", "balanced"),
        "dual_lite0_voc12_animals.py",
        _base_.pixel_labels,
        _base_.weak,
        every="train_quick",
        labels="pseudo",
        **_base_.schedule,
        **_base_.look,
    ),
]
