# SEAM on the built-in benchmark.
_base_ = ["../_base_/data/shapes.py"]
method = "seam"
seed = 0

pipeline = [
    dict(stage="train", name="cam", config="seam_lite0_shapes.py", split="train_aug"),
    dict(
        stage="infer_cam",
        name="make_cam",
        weights="cam",
        split="train_aug",
        scales=(1.0, 1.5, 2.0),
        flip=True,
        normalisation="class_min_max",
        stride=1,
    ),
    dict(stage="eval_cam", name="eval_cam", cams="make_cam", split="train", thresholds="best"),
]
