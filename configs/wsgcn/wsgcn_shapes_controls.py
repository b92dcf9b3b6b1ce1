"""WSGCN's controls on the built-in benchmark: less of the loss, other features, no graph network, IRNet's own labels.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/wsgcn/wsgcn_shapes_controls.py
"""

_base_ = ["wsgcn_shapes.py"]
from common.fragments import until
from methods.wsgcn.recipe import controls

fits = dict(
    gcn=_base_.fit,  # the headline, on the same graphs
    no_entropy=dict(_base_.fit, entropy=0),
    no_laplacian=dict(_base_.fit, laplacian=0),
    colour=dict(_base_.fit, features="colour"),  # mean colours in the place of IRNet's features
    spread=None,  # the walk alone
)

pipeline = [
    *until(_base_.pipeline, "eval_partial"),
    *controls(fits, walk=_base_.walk, graph=_base_.graph, irnet=0.62, crf=_base_.crf_fitted, judged="train"),
]
