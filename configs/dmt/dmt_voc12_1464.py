# DMT on VOC, the 1464 masks of train and the other 9118 images of train_aug without: from COCO and from ImageNet.
_base_ = ["../_base_/data/voc12.py"]
from methods.dmt.recipe import evaluations, mutual_rounds, supervised_phase  # noqa: E402  (mmengine wants the bases first)

method = "dmt"
seed = 0
uses = ()  # nothing is known of the images without masks
pixel_labels = "train"

networks = dict(
    a=dict(
        labelled="train",
        seed=1,
        supervised="../supervised/deeplabv2_r101_coco_voc12.py",
        mutual="mutual_r101_coco_voc12.py",
    ),
    b=dict(
        labelled="train",
        seed=2,
        supervised="../supervised/deeplabv2_r101_imagenet_voc12.py",
        mutual="mutual_r101_imagenet_voc12.py",
    ),
)
canvas = (505, 505)

pipeline = [
    *supervised_phase(networks, iterations=85 * 183),  # 85 epochs of 1464 images in batches of 8
    *mutual_rounds(
        networks, unlabelled="train_weak", epochs=5, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=dict(canvas=canvas)
    ),
    dict(
        stage="dmt.eval_confident",
        name="eval_pseudo",
        labels="labels_b4",
        thresholds="thresholds_b4",
        split="train_weak",
    ),
    *evaluations(dict(val_a0="a0", val_b0="b0", val="a5", val_b="b5"), split="val", canvas=canvas),
]
