# IRNet on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags only, half an hour on two CPU cores.
_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
method = "irnet"
seed = 0

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = [
    dict(stage="train", name="cam", config="cam_lite0_voc12_animals.py", split=images),
    dict(stage="infer_cam", name="make_cam", weights="cam", split=images, scales=(1.0, 0.5, 1.5, 2.0), flip=True),
    dict(stage="eval_cam", name="eval_cam", cams="make_cam", split=images, thresholds="best", classes=frequent),
    dict(stage="cam_to_ir_label", name="ir_label", cams="make_cam", fg=0.50, bg=0.25, crf=_base_.crf_irn),
    dict(stage="eval_labels", name="eval_ir_label", labels="ir_label", split=images, classes=frequent),
    dict(stage="train", name="irn", config="irn_lite0_voc12_animals.py", labels="ir_label", split=images),
    dict(
        stage="boundary_walk",
        name="walk",
        cams="make_cam",
        weights="irn",
        beta=10,
        exp_times=6,  # the grid has a quarter of the cells of a full-size photo: 64 steps for 256
        radius=5,
        canvas=240,
    ),
    # These CAMs fall slowly: their best threshold is 0.45 where the paper's is 0.15
    dict(stage="labels", name="pseudo", scores="walk", background=0.55),
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
