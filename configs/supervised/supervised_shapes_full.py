# The built-in benchmark with all 240 masks: what no method with fewer should reach.
_base_ = ["../_base_/data/shapes.py"]
method = "supervised"
seed = 0
pixel_labels = "train"
images = "train"

pipeline = [
    dict(
        stage="train",
        name="deeplab",
        config="../deeplab/deeplabv2_lite0_shapes.py",
        split=pixel_labels,
        pixel_labels=pixel_labels,
    ),
    dict(stage="infer_seg", name="segment", weights="deeplab", split="val", scales=(1.5,)),
    dict(stage="eval_labels", name="val", labels="segment", split="val"),
]
