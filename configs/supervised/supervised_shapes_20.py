# The built-in benchmark with 12 of 240 masks: the quick DeepLab v2 on these pictures alone.
_base_ = ["../_base_/data/shapes.py"]
method = "supervised"
seed = 0
pixel_labels = "20_labeled_0"
images = "train"

pipeline = [
    dict(
        stage="train",
        name="deeplab",
        config="deeplabv2_lite0_shapes.py",
        split=pixel_labels,
        pixel_labels=pixel_labels,
        options={"train_cfg.max_iters": 100},
    ),
    dict(stage="infer_seg", name="segment", weights="deeplab", split="val", scales=(1.5,)),
    dict(stage="eval_labels", name="val", labels="segment", split="val"),
]
