"""SEAM on the built-in benchmark, every stage small: minutes on two CPU cores.

Expected, mIoU: CAM 43.8, pseudo labels 55.9, DeepLab 57.7 (results/seam, mean of seeds 0 to 2).
Time and memory: 16 minutes on one CPU core, 2.5 GB (measured while another run used the other core).
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/seam/seam_shapes.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.seam.recipe import affinity_labels, refined_cams

method = "seam"
seed = 0
tuned_on = ("train",)  # alphas, steps, scale of the second view, start of the head

look = dict(scales=(2.0,), flip=True, normalisation="class_min_max", stride=1)

pipeline = [
    *refined_cams("cam_lite0_shapes.py", "train_aug", **look, threshold="best", judged="train"),
    # These CAMs fall slowly, their best background score is 0.6: (1 - m)^alpha = m at 0.62, 0.5 and (in the walk) 0.53.
    *affinity_labels(
        "../affinitynet/aff_lite0_shapes.py",
        "train_aug",
        low_alpha=0.5,
        high_alpha=1,
        crf=_base_.crf_psa,
        walk=dict(alpha=0.85, beta=8, logt=6, radius=5, border="complete", scale=2.0),
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
