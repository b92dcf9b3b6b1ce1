# VOC with 530 of 10582 masks (1/20), split 0: DMT's DeepLab v2 from COCO, as its table has it.
_base_ = ["../_base_/data/voc12.py"]
method = "supervised"
seed = 0
pixel_labels = "20_labeled_0"
images = "train_aug"

pipeline = [
    dict(
        stage="train",
        name="deeplab",
        config="deeplabv2_r101_coco_voc12.py",
        split=pixel_labels,
        pixel_labels=pixel_labels,
        best=dict(split="val", interval=220, canvas=(505, 505)),  # the published numbers' snapshot; None: the last one
        oracle=True,  # it is chosen on val's masks
        options={"train_cfg.max_iters": 134 * 67},  # epochs times batches of 8
    ),
    dict(stage="infer_seg", name="segment", weights="deeplab", split="val", canvas=(505, 505)),
    dict(stage="eval_labels", name="val", labels="segment", split="val"),
]
