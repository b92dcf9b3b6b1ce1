"""Pixel-noise GAT's controls on the built-in benchmark: other labels of the same images in the same final network.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/pixel_noise_gat/pixel_noise_gat_shapes_controls.py
"""

_base_ = ["pixel_noise_gat_shapes.py"]
from common.fragments import until
from methods.pixel_noise_gat.recipe import controls

pipeline = [
    *until(_base_.pipeline, "superpixels"),
    *controls(
        ("noisy", "small_loss", "own", "voted"),
        _base_.net,
        _base_.pixel_labels,
        _base_.weak,
        noisy="noisy",
        **_base_.look,
        **_base_.refine,
        judged=_base_.weak,
        iterations=_base_.iterations,
    ),
]
