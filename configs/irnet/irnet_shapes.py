# IRNet on the built-in benchmark, every stage small: minutes on two CPU cores.
_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
method = "irnet"
seed = 0

pipeline = [
    dict(stage="train", name="cam", config="cam_lite0_shapes.py", split="train_aug"),
    dict(stage="infer_cam", name="make_cam", weights="cam", split="train_aug", scales=(1.5, 2.0), flip=True),
    dict(stage="eval_cam", name="eval_cam", cams="make_cam", split="train", thresholds="best"),
    # On pictures this small the CAM is coarse and its scores fall slowly: all thresholds lie higher than on VOC.
    dict(stage="cam_to_ir_label", name="ir_label", cams="make_cam", fg=0.70, bg=0.35, crf=_base_.crf_irn),
    dict(stage="eval_labels", name="eval_ir_label", labels="ir_label", split="train"),
    dict(stage="train", name="irn", config="irn_lite0_shapes.py", labels="ir_label", split="train_aug"),
    # Small pictures need short walks: a walk of t steps gets sqrt(t) far.
    dict(stage="boundary_walk", name="walk", cams="make_cam", weights="irn", exp_times=6, canvas=128),
    dict(stage="labels", name="pseudo", scores="walk", background=0.55),
    dict(stage="eval_labels", name="eval_pseudo", labels="pseudo", split="train"),
    dict(stage="irnet.mean_displacement", name="irn_shifted", weights="irn", split="train", crop=128, batch=16),
    dict(
        stage="irnet.instances",
        name="instances",
        cams="make_cam",
        weights="irn_shifted",
        split="train",
        exp_times=6,
        bg=0.55,
        canvas=128,
    ),
    dict(stage="irnet.eval_instances", name="eval_instances", instances="instances", split="train"),
    dict(
        stage="train", name="deeplab", config="../deeplab/deeplabv2_lite0_shapes.py", labels="pseudo", split="train_aug"
    ),
    dict(
        stage="infer_seg",
        name="segment",
        weights="deeplab",
        split="val",
        scales=(1.0, 1.5, 2.0),
        flip=True,
        crf=_base_.crf_irn,
    ),
    dict(stage="eval_labels", name="val", labels="segment", split="val"),
]
