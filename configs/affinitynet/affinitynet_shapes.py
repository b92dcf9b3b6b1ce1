"""AffinityNet on the built-in benchmark, every stage small: minutes on two CPU cores.

Expected, mIoU: CAM 43.5, pseudo labels 58.9, DeepLab 69.2 (results/affinitynet, mean of seeds 0 to 2).
Time and memory: 12 minutes on one CPU core, 2.4 GB (measured while another run used the other core).
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/affinitynet/affinitynet_shapes.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import cams, retrained
from methods.affinitynet.recipe import affinities, pseudo_labels

method = "affinitynet"
seed = 0
tuned_on = ("train",)  # alphas, beta, steps and learning rates

pipeline = [
    *cams("cls_lite0_shapes.py", "train_aug", scales=(2.0,), flip=True, stride=1, threshold="best", judged="train"),
    # These CAMs fall slowly: their best threshold is about 0.4 (on VOC 0.2), so every alpha is smaller.
    *affinities("aff_lite0_shapes.py", "train_aug", low_alpha=2, high_alpha=6, crf=_base_.crf_psa),
    *pseudo_labels(
        alpha=4,
        beta=8,
        logt=6,  # a walk of t steps reaches about sqrt(t) cells: small pictures need short ones
        radius=5,
        border="complete",
        scale=2.0,
        judged="train",
    ),
    *retrained(
        "../deeplab/deeplabv2_lite0_shapes.py",
        labels="pseudo",
        split="train_aug",
        scales=(1.0, 1.5, 2.0),
        flip=True,
        crf=_base_.crf_irn,
    ),
]
