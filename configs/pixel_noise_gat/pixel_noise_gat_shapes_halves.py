"""Pixel-noise GAT whose graphs of pictures with masks join on the built-in benchmark, seen by networks of halves.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/pixel_noise_gat/pixel_noise_gat_shapes_halves.py
"""

_base_ = ["pixel_noise_gat_shapes.py"]
from common.fragments import until
from methods.pixel_noise_gat.recipe import corrected_labels, half_models

labelled, weak = _base_.pixel_labels, _base_.weak

pipeline = [
    *until(_base_.pipeline, "eval_small_loss"),
    *half_models(_base_.net, labelled, iterations=_base_.iterations),
    *corrected_labels(
        "noisy",
        weak,
        slic=_base_.slic,
        graph=_base_.graph,
        gat=_base_.gat,
        **_base_.refine,
        judged=weak,
        strong=labelled,
    ),
]
