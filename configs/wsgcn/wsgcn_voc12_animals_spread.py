"""WSGCN without its graph network on 200 photos of animals, a control: the walk alone spreads the partial labels.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos and tags of train_quick, its lists
`wsseg data splits data/voc12_animals --of train_quick`; the masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/wsgcn/wsgcn_voc12_animals_spread.py
"""

_base_ = ["wsgcn_voc12_animals.py"]
from common.fragments import until
from methods.wsgcn.recipe import controls

judged = "train_quick_4_labeled_0"  # 200 of them; no mask is learned from

pipeline = [
    *until(_base_.pipeline, "eval_partial"),
    *controls(
        dict(gcn=_base_.fit, spread=None),
        walk=_base_.walk,
        graph=_base_.graph,
        irnet=0.55,
        crf=_base_.crf_fitted,
        judged=judged,
        split=judged,
        classes=_base_.frequent,
    ),
]
