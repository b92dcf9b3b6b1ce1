"""DMT on VOC, 1/8 of the masks (1322), split 0: one network from COCO, one from ImageNet.

The command is not published: as 1/20, with the predecessor's 85 epochs.
Expected, mIoU on val: 72.7, the masks alone 67.37 (the repository's README, mean of three splits).
Time and memory: not measured.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`); val chooses the snapshots.
Weights: resnet101_coco_advsemiseg, `wsseg weights import resnet101COCO-41f33a49.pth --as resnet101_coco_advsemiseg`;
ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/dmt/dmt_voc12_8.py
"""

_base_ = ["../_base_/data/voc12.py"]
from common.fragments import evaluations
from methods.dmt.recipe import confident_labels, mutual_rounds, supervised_phase

method = "dmt"
seed = 0
uses = ()  # nothing is known of the unlabelled images
pixel_labels, unlabelled = "8_labeled_0", "8_unlabeled_0"

coco = dict(supervised="../supervised/deeplabv2_r101_coco_voc12.py", mutual="mutual_r101_coco_voc12.py")
imagenet = dict(supervised="../supervised/deeplabv2_r101_imagenet_voc12.py", mutual="mutual_r101_imagenet_voc12.py")
networks = dict(
    a=dict(coco, labelled=pixel_labels, seed=1),
    b=dict(imagenet, labelled=pixel_labels, seed=2),
)
look = dict(canvas=(505, 505))
best = dict(split="val", interval=350, **look)  # the snapshots of the published numbers; None: the last ones

pipeline = [
    *supervised_phase(networks, iterations=85 * 166, best=best),  # 85 epochs of 1322 images in batches of 8
    *mutual_rounds(networks, unlabelled, epochs=4, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look, best=best),
    *confident_labels("b4", unlabelled),
    *evaluations(dict(val_a0="a0", val_b0="b0", val="a5", val_b="b5"), split="val", **look),
]
