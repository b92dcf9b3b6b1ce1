"""SEAM's classifier alone on the built-in benchmark, a control: no equivariance losses, no correlation module.

Expected, mIoU: CAM 43.3, pseudo labels 52.5 (results/seam, mean of seeds 0 to 2).
Time and memory: 13 minutes on one CPU core, 2.5 GB (measured while another run used the other core).
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/seam/seam_shapes_plain.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import cams
from methods.seam.recipe import affinity_labels

method = "seam"
seed = 0
tuned_on = ("train",)  # what it shares with seam_shapes.py: steps, scale of the second view, start of the head

look = dict(scales=(2.0,), flip=True, normalisation="class_min_max", stride=1)

pipeline = [
    *cams("plain_lite0_shapes.py", "train_aug", **look, threshold="best", judged="train"),
    # The best background score of these CAMs is 0.42 on the training pictures of another drawing (--seed 7; 42.3 mIoU),
    # that of SEAM's is 0.6. The three alphas lie as far from it as those of seam_shapes.py: (1 - m)^alpha = m at 0.44,
    # 0.35 and 0.32. No others were tried.
    *affinity_labels(
        "../affinitynet/aff_lite0_shapes.py",
        "train_aug",
        low_alpha=1.4,
        high_alpha=3,
        crf=_base_.crf_psa,
        walk=dict(alpha=2.4, beta=8, logt=6, radius=5, border="complete", scale=2.0),
        judged="train",
    ),
]
