# SEAM on the built-in benchmark, every stage small: minutes on two CPU cores.
_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
method = "seam"
seed = 0

pipeline = [
    dict(stage="train", name="cam", config="cam_lite0_shapes.py", split="train_aug"),
    dict(
        stage="infer_cam",
        name="make_cam",
        weights="cam",
        split="train_aug",
        scales=(2.0,),
        flip=True,
        normalisation="class_min_max",
        stride=1,
    ),
    dict(stage="eval_cam", name="eval_cam", cams="make_cam", split="train", thresholds="best"),
    # These CAMs fall slowly, their best background score is 0.6: (1 - m)^alpha = m at 0.62, 0.55 and 0.5.
    dict(
        stage="affinitynet.score_volumes",
        name="scores",
        cams="make_cam",
        low_alpha=0.5,
        high_alpha=1,
        crf=_base_.crf_psa,
    ),
    dict(stage="train", name="aff", config="../affinitynet/aff_lite0_shapes.py", labels="scores", split="train_aug"),
    dict(
        stage="affinitynet.random_walk",
        name="walk",
        cams="make_cam",
        weights="aff",
        alpha=0.85,
        beta=8,
        logt=6,
        radius=5,
        border="complete",
        scale=2.0,
    ),
    dict(stage="labels", name="pseudo", scores="walk", background="own"),
    dict(stage="eval_labels", name="eval_pseudo", labels="pseudo", split="train"),
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
