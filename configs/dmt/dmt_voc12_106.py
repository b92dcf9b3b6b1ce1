"""DMT on VOC, 100 masks, split 0: two networks from COCO on difference-maximised halves.

Expected, mIoU on val: 63.04, the masks alone 46.66 (the repository's README, mean of three splits).
Time and memory: not measured.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`); val chooses the snapshots.
Weights: resnet101_coco_advsemiseg, `wsseg weights import resnet101COCO-41f33a49.pth --as resnet101_coco_advsemiseg`.
Run: wsseg run configs/dmt/dmt_voc12_106.py
"""

_base_ = ["../_base_/data/voc12.py"]
from common.fragments import evaluations
from methods.dmt.recipe import confident_labels, mutual_rounds, supervised_phase

method = "dmt"
seed = 0
uses = ()  # nothing is known of the unlabelled images
pixel_labels, unlabelled = "106_labeled_0", "106_unlabeled_0"

coco = dict(supervised="../supervised/deeplabv2_r101_coco_voc12.py", mutual="mutual_r101_coco_voc12.py")
networks = dict(  # the left and the right part of the labelled list share 60 % of the images
    a=dict(coco, labelled="106-l_labeled_0", seed=1),
    b=dict(coco, labelled="106-r_labeled_0", seed=2),
)
look = dict(canvas=(505, 505))
best = dict(split="val", interval=100, **look)  # the snapshots of the published numbers; None: the last ones

pipeline = [
    *supervised_phase(networks, iterations=300 * 10, best=best),  # 300 epochs of 80 images in batches of 8
    *mutual_rounds(networks, unlabelled, epochs=4, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look, best=best),
    *confident_labels("b4", unlabelled),
    *evaluations(dict(val_a0="a0", val_b0="b0", val="a5", val_b="b5"), split="val", **look),
]
