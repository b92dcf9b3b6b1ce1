# IRNet (CVPR 2019), the row of ResNet-50: CAM, semantic and instance pseudo labels on train, DeepLab v2 on val.
_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
method = "irnet"
seed = 0

pipeline = [
    # Classifier, and CAMs of the tagged classes summed over four scales and the mirror image.
    dict(stage="train", name="cam", config="cam_r50_voc12.py", split="train_aug"),
    dict(stage="infer_cam", name="make_cam", weights="cam", split="train_aug", scales=(1.0, 0.5, 1.5, 2.0), flip=True),
    dict(stage="eval_cam", name="eval_cam", cams="make_cam", split="train", thresholds=0.15),
    dict(stage="eval_cam", name="eval_cam_best", cams="make_cam", split="train", thresholds="best"),
    # Confident pixels teach boundaries and displacements.
    dict(stage="cam_to_ir_label", name="ir_label", cams="make_cam", fg=0.30, bg=0.05, crf=_base_.crf_irn),
    dict(stage="train", name="irn", config="irn_r50_voc12.py", labels="ir_label", split="train_aug"),
    # Semantic pseudo labels: 2^8 = 256 steps of the random walk.
    dict(
        stage="boundary_walk",
        name="walk",
        cams="make_cam",
        weights="irn",
        beta=10,
        exp_times=8,
        radius=5,
        canvas=512,
    ),
    dict(stage="labels", name="pseudo", scores="walk", background=0.25),
    dict(stage="eval_labels", name="eval_pseudo", labels="pseudo", split="train"),
    # Instance pseudo labels.
    dict(stage="irnet.mean_displacement", name="irn_shifted", weights="irn", split="train", crop=512, batch=32),
    dict(
        stage="irnet.instances",
        name="instances",
        cams="make_cam",
        weights="irn_shifted",
        split="train",
        beta=10,
        exp_times=8,
        radius=5,
        bg=0.25,
        canvas=512,
        iterations=300,
        weak=2.5,
        min_area=0.01,
    ),
    dict(stage="irnet.eval_instances", name="eval_instances", instances="instances", split="train", iou=0.5),
    # DeepLab v2 on the semantic labels, judged with five scales, mirror images and CRF.
    dict(stage="train", name="deeplab", config="deeplabv2_r50_voc12.py", labels="pseudo", split="train_aug"),
    dict(
        stage="infer_seg",
        name="segment",
        weights="deeplab",
        split="val",
        scales=(0.5, 0.75, 1.0, 1.25, 1.5),
        flip=True,
        crf=_base_.crf_deeplab,
    ),
    dict(stage="eval_labels", name="val", labels="segment", split="val"),
]
