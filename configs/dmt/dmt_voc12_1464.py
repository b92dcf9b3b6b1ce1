# DMT on VOC, the 1464 masks of train and the other 9118 images of train_aug without: from COCO and from ImageNet.
_base_ = ["../_base_/data/voc12.py"]
from methods.dmt.recipe import evaluations, mutual_rounds, supervised_phase  # noqa: E402  (mmengine wants the bases first)

method = "dmt"
seed = 0
uses = ()  # nothing is known of the images without masks
pixel_labels, unlabelled = "train", "train_weak"

coco = dict(supervised="../supervised/deeplabv2_r101_coco_voc12.py", mutual="mutual_r101_coco_voc12.py")
imagenet = dict(supervised="../supervised/deeplabv2_r101_imagenet_voc12.py", mutual="mutual_r101_imagenet_voc12.py")
networks = dict(
    a=dict(coco, labelled=pixel_labels, seed=1),
    b=dict(imagenet, labelled=pixel_labels, seed=2),
)
look = dict(canvas=(505, 505))
best = dict(split="val", interval=350, **look)  # the snapshots of the published numbers; None: the last ones

pipeline = [
    *supervised_phase(networks, iterations=85 * 183, best=best),  # 85 epochs of 1464 images in batches of 8
    *mutual_rounds(networks, unlabelled, epochs=5, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look, best=best),
    dict(
        stage="dmt.eval_confident", name="eval_pseudo", labels="labels_b4", thresholds="thresholds_b4", split=unlabelled
    ),
    *evaluations(dict(val_a0="a0", val_b0="b0", val="a5", val_b="b5"), split="val", **look),
]
