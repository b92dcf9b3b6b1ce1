# VOC with the 1464 masks of train: DMT's DeepLab v2 from COCO, as its table has it.
_base_ = ["../_base_/data/voc12.py"]
from common.fragments import supervised  # noqa: E402  (mmengine wants the bases first)

method = "supervised"
seed = 0
pixel_labels, images = "train", "train_aug"

pipeline = supervised(
    "deeplabv2_r101_coco_voc12.py",
    pixel_labels,
    iterations=85 * 183,  # epochs times batches of 8
    best=dict(split="val", interval=350),  # the snapshot of the published number; None: the last one
    canvas=(505, 505),
)
