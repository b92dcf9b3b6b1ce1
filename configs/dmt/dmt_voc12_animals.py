# DMT on photos of animals of 240 pixels, 156 of 3131 labelled (`wsseg data splits data/voc12_animals` makes the lists),
# EfficientNet-Lite0, beside the baseline that knows the labelled ones alone.
_base_ = ["../_base_/data/voc12_animals.py"]
from methods.dmt.recipe import evaluations, mutual_rounds, supervised_phase  # noqa: E402  (mmengine wants the bases first)

method = "dmt"
seed = 0
uses = ()  # nothing is known of the images without masks
pixel_labels = "20_labeled_0"

# There is one set of ImageNet weights for this backbone: the two networks differ by their part of the labelled photos,
# their heads' first values, and the order and augmentation of what they see.
networks = dict(
    a=dict(
        labelled="20-l_labeled_0",
        seed=1,
        supervised="../supervised/deeplabv2_lite0_voc12_animals.py",
        mutual="mutual_lite0_voc12_animals.py",
    ),
    b=dict(
        labelled="20-r_labeled_0",
        seed=2,
        supervised="../supervised/deeplabv2_lite0_voc12_animals.py",
        mutual="mutual_lite0_voc12_animals.py",
    ),
)
baseline = dict(labelled=dict(networks["a"], labelled=pixel_labels, seed=0))
look = dict(canvas=None)
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = [
    *supervised_phase(baseline, iterations=600),
    *supervised_phase(networks, iterations=600),
    *mutual_rounds(networks, unlabelled="20_unlabeled_0", epochs=1, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look),
    dict(
        stage="dmt.eval_confident",
        name="eval_pseudo",
        labels="labels_b4",
        thresholds="thresholds_b4",
        split="20_unlabeled_0",
        classes=frequent,
    ),
    *evaluations(
        dict(val_labelled="labelled0", val_a0="a0", val_b0="b0", val="a5", val_b="b5"),
        classes=frequent,
        split="val",
        **look,
    ),
]
