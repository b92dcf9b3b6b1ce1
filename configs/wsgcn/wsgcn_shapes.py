"""WSGCN on the built-in benchmark, every stage small.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/wsgcn/wsgcn_shapes.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import cams, retrained
from methods.irnet.recipe import boundaries
from methods.wsgcn.recipe import complete_labels, partial_labels

method = "wsgcn"
seed = 0
tuned_on = ("train",)  # what it shares with irnet_shapes.py: learning rates

walk = dict(beta=10, exp_times=7, radius=5, canvas=128)  # IRNet's
graph = dict(window=2, colour=12, place=20, dense=4000, modes=384)
# The mean of the entropy is over the classes, too: 10 for 21 of them is 3.3 for 7.
fit = dict(steps=250, width=16, dropout=0.3, lr=0.01, weight_decay=5e-4, entropy=3.3, laplacian=0.01)
crf_cells = dict(iterations=10, bilateral=(20, 3, 10), gaussian=(4, 3))  # on the scores' cells at stride 4
crf_fitted = dict(iterations=10, bilateral=(50, 5, 3), gaussian=(3, 3))  # on what the graph network says, at photo size

pipeline = [
    *cams("../irnet/cam_lite0_shapes.py", "train_aug", scales=(1.5, 2.0), flip=True, threshold="best", judged="train"),
    *boundaries("../irnet/irn_lite0_shapes.py", "train_aug", fg=0.70, bg=0.35, crf=_base_.crf_irn, judged="train"),
    # These CAMs fall slowly: with the paper's alphas nearly everything would be a class. Starting points.
    *partial_labels(
        alphas=(0.5, 1),
        confidence=0.8,
        share=0.3,
        floor=0.4,
        background=0.8,
        crf=crf_cells,
        judged="train",
    ),
    *complete_labels(walk=walk, graph=graph, fit=fit, crf=crf_fitted, judged="train"),
    *retrained(
        "../deeplab/deeplabv2_lite0_shapes.py",
        labels="pseudo",
        split="train_aug",
        scales=(1.0, 1.5, 2.0),
        flip=True,
        crf=_base_.crf_irn,
    ),
]
