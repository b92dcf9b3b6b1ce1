"""Pixel-noise GAT without its graph on 800 photos of animals, a control: the small-loss pixels of the noisy labels.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), its lists
`wsseg data splits data/voc12_animals --of train_quick`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/pixel_noise_gat/pixel_noise_gat_voc12_animals_small_loss.py
"""

_base_ = ["pixel_noise_gat_voc12_animals.py"]
from common.fragments import until
from methods.pixel_noise_gat.recipe import controls

pipeline = [
    *until(_base_.pipeline, "eval_small_loss"),
    *controls(
        ("small_loss",),
        _base_.net,
        _base_.pixel_labels,
        _base_.weak,
        noisy="noisy",
        **_base_.look,
        **_base_.refine,
        judged=_base_.weak,
        iterations=_base_.iterations,
        classes=_base_.frequent,
    ),
]
