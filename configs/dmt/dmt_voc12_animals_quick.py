# DMT on 800 photos of animals of 240 pixels, 40 of them labelled (`wsseg data splits data/voc12_animals --of
# train_quick` makes the lists).
_base_ = ["../_base_/data/voc12_animals.py"]
from methods.dmt.recipe import evaluations, mutual_rounds, supervised_phase  # noqa: E402  (mmengine wants the bases first)

method = "dmt"
seed = 0
uses = ()  # nothing is known of the images without masks
pixel_labels, unlabelled = "train_quick_20_labeled_1", "train_quick_20_unlabeled_1"  # split 0 has one horse
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

# There is one set of ImageNet weights for this backbone: the two networks differ by their heads' first values, and by
# the order and augmentation of what they see.
lite0 = dict(
    labelled=pixel_labels,
    supervised="../supervised/deeplabv2_lite0_voc12_animals.py",
    mutual="mutual_lite0_voc12_animals.py",
)
networks = dict(a=dict(lite0, seed=1), b=dict(lite0, seed=2))
look = dict(canvas=None)

pipeline = [
    *supervised_phase(networks, iterations=400),
    *mutual_rounds(networks, unlabelled, epochs=1, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look),
    dict(
        stage="dmt.eval_confident",
        name="eval_pseudo",
        labels="labels_b4",
        thresholds="thresholds_b4",
        split=unlabelled,
        classes=frequent,
    ),
    *evaluations(dict(val_a0="a0", val_b0="b0", val="a5", val_b="b5"), classes=frequent, split="val", **look),
]
