"""DMT's ablations on VOC, 1/50 of the masks, split 0, all from COCO: what the loss and the second network are worth.

Expected: the values of the paper's table are not known; DMT itself has 67.15 on val (the repository's README).
Time and memory: not measured.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`); val chooses the snapshots.
Weights: resnet101_coco_advsemiseg, `wsseg weights import resnet101COCO-41f33a49.pth --as resnet101_coco_advsemiseg`.
Run: wsseg run configs/dmt/ablations_voc12_50.py
"""

_base_ = ["../_base_/data/voc12.py"]
from common.fragments import evaluations
from methods.dmt.recipe import mutual_rounds, supervised_phase

method = "dmt"
seed = 0
uses = ()  # nothing is known of the unlabelled images
pixel_labels = "50_labeled_0"

common = dict(supervised="../supervised/deeplabv2_r101_coco_voc12.py", mutual="mutual_r101_coco_voc12.py")
pair = dict(
    a=dict(common, labelled="50-l_labeled_0", seed=1),
    b=dict(common, labelled="50-r_labeled_0", seed=2),
)
alone = dict(c=dict(common, labelled="50_labeled_0", seed=1))  # a network alone teaches itself
look = dict(canvas=(505, 505))
best = dict(split="val", interval=220, **look)  # the snapshots of the published numbers; None: the last ones

ratios = (0.2, 0.4, 0.6, 0.8, 1.0)
variants = (  # name, networks, ratio of every round, epochs of a round, loss
    ("naive", pair, ratios, 4, dict(rule="naive", gamma=5.0)),
    ("flip", pair, ratios, 4, dict(rule="flip", gamma_agree=5.0, gamma_disagree=5.0)),
    ("dst", alone, ratios, 4, dict(rule="dynamic", gamma_agree=5.0, gamma_disagree=5.0)),
    ("cbst", alone, ratios, 4, dict(rule="plain")),
    ("self", alone, (1.0,), 20, dict(rule="plain")),
    ("online", alone, (1.0,), 20, dict(rule="online", threshold=0.9)),  # the stored labels are not used
)

pipeline = [
    *supervised_phase(pair, iterations=134 * 21, best=best),  # 134 epochs of 168 images in batches of 8
    *supervised_phase(alone, iterations=134 * 27, best=best),  # of 211
    *evaluations(dict(val_a0="a0", val_b0="b0", val_c0="c0"), split="val", **look),
]
for name, networks, shares, epochs, loss in variants:
    pipeline += mutual_rounds(
        networks, "50_unlabeled_0", epochs, shares, predict=look, loss=loss, prefix=f"{name}_", best=best
    )
    pipeline += evaluations(
        {f"val_{name}_{side}": f"{name}_{side}{len(shares)}" for side in networks}, split="val", **look
    )
