# AffinityNet on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags only, for two CPU cores.
_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
method = "affinitynet"
seed = 0

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = [
    dict(stage="train", name="cam", config="cls_lite0_voc12_animals.py", split=images),
    dict(
        stage="infer_cam",
        name="make_cam",
        weights="cam",
        split=images,
        scales=(0.5, 1.0, 1.5),
        flip=True,
        stride=1,
    ),
    dict(stage="eval_cam", name="eval_cam", cams="make_cam", split=images, thresholds="best", classes=frequent),
    # These CAMs fall slowly: their best threshold is about 0.45 where VOC's is 0.2, so every alpha is smaller.
    dict(
        stage="affinitynet.score_volumes",
        name="scores",
        cams="make_cam",
        low_alpha=0.75,
        high_alpha=3,
        crf=_base_.crf_psa,
    ),
    dict(stage="train", name="aff", config="aff_lite0_voc12_animals.py", labels="scores", split=images),
    dict(
        stage="affinitynet.random_walk",
        name="walk",
        cams="make_cam",
        weights="aff",
        alpha=1.25,
        beta=8,
        logt=6,  # 45 cells across where the paper has 63
        radius=5,
        border="complete",
        scale=1.5,
    ),
    dict(stage="labels", name="pseudo", scores="walk", background="own"),
    dict(stage="eval_labels", name="eval_pseudo", labels="pseudo", split=images, classes=frequent),
    dict(
        stage="train",
        name="deeplab",
        config="../deeplab/deeplabv2_lite0_voc12_animals.py",
        labels="pseudo",
        split=images,
    ),
    dict(stage="infer_seg", name="segment", weights="deeplab", split="val", scales=(0.75, 1.0, 1.25), flip=True),
    dict(stage="eval_labels", name="val", labels="segment", split="val", classes=frequent),
]
