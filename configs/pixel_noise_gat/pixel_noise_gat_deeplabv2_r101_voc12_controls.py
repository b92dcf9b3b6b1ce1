"""Pixel-noise GAT's controls (TIP 2021) with DeepLab v2 on ResNet-101: other labels in the same final network.

Expected: the paper's numbers are not known.
Time and memory: not measured; the networks need a GPU.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`).
Weights: ResNet-50 and ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/pixel_noise_gat/pixel_noise_gat_deeplabv2_r101_voc12_controls.py
"""

_base_ = ["pixel_noise_gat_deeplabv2_r101_voc12.py"]
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
        scales=(1.0,),
        **_base_.refine,
        judged=_base_.weak,
        iterations=_base_.iterations,
    ),
]
