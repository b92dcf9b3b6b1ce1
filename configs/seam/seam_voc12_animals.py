# SEAM on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags only, for two CPU cores.
_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
method = "seam"
seed = 0

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = [
    dict(stage="train", name="cam", config="cam_lite0_voc12_animals.py", split=images),
    dict(
        stage="infer_cam",
        name="make_cam",
        weights="cam",
        split=images,
        scales=(0.5, 1.0, 1.5),
        flip=True,
        normalisation="class_min_max",
        stride=1,
    ),
    dict(stage="eval_cam", name="eval_cam", cams="make_cam", split=images, thresholds="best", classes=frequent),
    # The best threshold of these CAMs is 0.53, so the alphas are smaller still than AffinityNet's here.
    dict(
        stage="affinitynet.score_volumes",
        name="scores",
        cams="make_cam",
        low_alpha=0.5,
        high_alpha=1.5,
        crf=_base_.crf_psa,
    ),
    dict(stage="train", name="aff", config="../affinitynet/aff_lite0_voc12_animals.py", labels="scores", split=images),
    dict(
        stage="affinitynet.random_walk",
        name="walk",
        cams="make_cam",
        weights="aff",
        alpha=1,
        beta=8,
        logt=5,
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
