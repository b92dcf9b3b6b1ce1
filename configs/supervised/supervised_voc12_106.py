"""VOC with 100 of 10582 masks ("1/106"), split 0: DMT's DeepLab v2 from COCO, as its table has it.

Expected, mIoU on val: 46.66 (README of voldemortX/DST-CBC, mean of three splits).
Time and memory: not measured.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`); val chooses the snapshots.
Weights: resnet101_coco_advsemiseg, `wsseg weights import resnet101COCO-41f33a49.pth --as resnet101_coco_advsemiseg`.
Run: wsseg run configs/supervised/supervised_voc12_106.py
"""

_base_ = ["../_base_/data/voc12.py"]
from common.fragments import supervised

method = "supervised"
seed = 0
pixel_labels, images = "106_labeled_0", "train_aug"

pipeline = supervised(
    "deeplabv2_r101_coco_voc12.py",
    pixel_labels,
    iterations=300 * 13,  # epochs times batches of 8
    best=dict(split="val", interval=100),  # the snapshot of the published number; None: the last one
    canvas=(505, 505),
)
