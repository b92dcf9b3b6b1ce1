# SEAM (CVPR 2020): CAM and pseudo labels on train and val, DeepLab v1 on ResNet-38 on val.
_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
method = "seam"
seed = 0

cam = dict(scales=(0.5, 1.0, 1.5, 2.0), flip=True, normalisation="class_min_max", stride=1)
walk = dict(alpha=6, beta=8, logt=6, radius=5)  # 2^6 = 64 steps

pipeline = [
    # SEAM's network, and its refined CAMs of the tagged classes summed over four scales and the mirror image.
    dict(stage="train", name="cam", config="cam_resnet38_voc12.py", split="train_aug"),
    dict(stage="infer_cam", name="make_cam", weights="cam", split="train_aug", **cam),
    dict(stage="eval_cam", name="eval_cam", cams="make_cam", split="train", thresholds=0.26),
    dict(stage="eval_cam", name="eval_cam_best", cams="make_cam", split="train", thresholds="best"),
    # AffinityNet on ResNet-38, its learning rate 0.01.
    dict(
        stage="affinitynet.score_volumes",
        name="scores",
        cams="make_cam",
        low_alpha=4,
        high_alpha=24,
        crf=_base_.crf_psa,
    ),
    dict(stage="train", name="aff", config="../affinitynet/aff_resnet38_voc12.py", labels="scores", split="train_aug"),
    dict(stage="affinitynet.random_walk", name="walk", cams="make_cam", weights="aff", **walk),
    dict(stage="labels", name="pseudo", scores="walk", background="own"),
    dict(stage="eval_labels", name="eval_pseudo", labels="pseudo", split="train"),
    # The same on val, whose tags are given to it.
    dict(stage="infer_cam", name="make_cam_val", weights="cam", split="val", **cam),
    dict(stage="affinitynet.random_walk", name="walk_val", cams="make_cam_val", weights="aff", **walk),
    dict(stage="labels", name="pseudo_val", scores="walk_val", background="own"),
    dict(stage="eval_labels", name="eval_pseudo_val", labels="pseudo_val", split="val"),
    # DeepLab v1 on ResNet-38.
    dict(stage="train", name="deeplab", config="deeplabv1_resnet38_voc12.py", labels="pseudo", split="train_aug"),
    dict(
        stage="infer_seg",
        name="segment",
        weights="deeplab",
        split="val",
        scales=(0.5, 0.75, 1.0, 1.25, 1.5, 1.75),
        flip=True,
        crf=_base_.crf_seam_retrain,
    ),
    dict(stage="eval_labels", name="val", labels="segment", split="val"),
]
