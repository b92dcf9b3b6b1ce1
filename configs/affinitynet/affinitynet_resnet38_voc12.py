# AffinityNet (CVPR 2018), the row of ResNet-38: CAM and pseudo labels on train and val, DeepLab v1 on ResNet-38 on val.
_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
method = "affinitynet"
seed = 0

scales = (1.0, 0.5, 1.5, 2.0)
walk = dict(alpha=16, beta=8, logt=8, radius=5)  # 2^8 = 256 steps

pipeline = [
    # Classifier, and CAMs of the tagged classes summed over four scales and the mirror image.
    dict(stage="train", name="cam", config="cls_resnet38_voc12.py", split="train_aug"),
    dict(stage="infer_cam", name="make_cam", weights="cam", split="train_aug", scales=scales, flip=True, stride=1),
    dict(stage="eval_cam", name="eval_cam", cams="make_cam", split="train", thresholds=0.2),
    dict(stage="eval_cam", name="eval_cam_best", cams="make_cam", split="train", thresholds="best"),
    # Where CAMs agree under a strong and a weak background, pairs of cells teach affinities.
    dict(
        stage="affinitynet.score_volumes",
        name="scores",
        cams="make_cam",
        low_alpha=4,
        high_alpha=32,
        crf=_base_.crf_psa,
    ),
    dict(stage="train", name="aff", config="aff_resnet38_voc12.py", labels="scores", split="train_aug"),
    # Pseudo labels, as the released code judges them and refined by a CRF, as the segmentation network needs them.
    dict(stage="affinitynet.random_walk", name="walk", cams="make_cam", weights="aff", **walk),
    dict(stage="labels", name="pseudo", scores="walk", background="own"),
    dict(stage="eval_labels", name="eval_pseudo", labels="pseudo", split="train"),
    dict(stage="labels", name="pseudo_crf", scores="walk", background="own", crf=_base_.crf_psa),
    dict(stage="eval_labels", name="eval_pseudo_crf", labels="pseudo_crf", split="train"),
    # The same on val, whose tags are given to it.
    dict(stage="infer_cam", name="make_cam_val", weights="cam", split="val", scales=scales, flip=True, stride=1),
    dict(stage="eval_cam", name="eval_cam_val", cams="make_cam_val", split="val", thresholds=0.2),
    dict(stage="affinitynet.random_walk", name="walk_val", cams="make_cam_val", weights="aff", **walk),
    dict(stage="labels", name="pseudo_val", scores="walk_val", background="own"),
    dict(stage="eval_labels", name="eval_pseudo_val", labels="pseudo_val", split="val"),
    # DeepLab v1 on ResNet-38.
    dict(
        stage="train",
        name="deeplab",
        config="../seam/deeplabv1_resnet38_voc12.py",
        labels="pseudo_crf",
        split="train_aug",
    ),
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
