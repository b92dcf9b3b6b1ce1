"""WSGCN's controls on the built-in benchmark: less of the loss, other features, no graph network, IRNet's own labels.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/wsgcn/wsgcn_shapes_controls.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import cams
from methods.irnet.recipe import boundaries
from methods.wsgcn.recipe import controls, partial_labels

method = "wsgcn"
seed = 0
tuned_on = ("train",)  # what it shares with irnet_shapes.py: learning rates

walk = dict(beta=10, exp_times=7, radius=5, canvas=128)
graph = dict(window=2, colour=12, place=20, dense=4000, modes=384)
fit = dict(steps=250, width=16, dropout=0.3, lr=0.01, weight_decay=5e-4, entropy=3.3, laplacian=0.01)
fits = dict(
    gcn=fit,  # the headline, on the same graphs
    no_entropy=dict(fit, entropy=0),
    no_laplacian=dict(fit, laplacian=0),
    colour=dict(fit, features="colour"),  # mean colours in the place of IRNet's features
    spread=None,  # the walk alone
)

pipeline = [
    *cams("../irnet/cam_lite0_shapes.py", "train_aug", scales=(1.5, 2.0), flip=True, threshold="best", judged="train"),
    *boundaries("../irnet/irn_lite0_shapes.py", "train_aug", fg=0.70, bg=0.35, crf=_base_.crf_irn, judged="train"),
    *partial_labels(
        alphas=(0.5, 1),
        confidence=0.8,
        share=0.3,
        floor=0.4,
        background=0.8,
        crf=_base_.crf_cells,
        judged="train",
    ),
    *controls(fits, walk=walk, graph=graph, irnet=0.62, crf=_base_.crf_fitted, judged="train"),
]
