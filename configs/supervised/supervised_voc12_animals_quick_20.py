# 800 photos of animals with 40 masks: the quick DeepLab v2 on these photos alone.
_base_ = ["../_base_/data/voc12_animals.py"]
method = "supervised"
seed = 0
pixel_labels = "train_quick_20_labeled_0"
images = "train_quick"
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = [
    dict(
        stage="train",
        name="deeplab",
        config="deeplabv2_lite0_voc12_animals.py",
        split=pixel_labels,
        pixel_labels=pixel_labels,
        options={"train_cfg.max_iters": 300},
    ),
    dict(stage="infer_seg", name="segment", weights="deeplab", split="val"),
    dict(stage="eval_labels", name="val", labels="segment", split="val", classes=frequent),
]
