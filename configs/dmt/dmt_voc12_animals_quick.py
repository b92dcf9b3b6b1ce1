# DMT on 800 photos of animals of 240 pixels, 40 of them labelled, between the baseline that knows those 40 alone and
# full supervision (`wsseg data splits data/voc12_animals --of train_quick` makes the lists), on two CPU cores.
_base_ = ["../_base_/data/voc12_animals.py"]
from methods.dmt.recipe import evaluations, mutual_rounds, supervised_phase  # noqa: E402  (mmengine wants the bases first)

method = "dmt"
seed = 0
uses = ()  # nothing is known of the images without masks
pixel_labels = "train_quick_20_labeled_0"

# There is one set of ImageNet weights for this backbone: the two networks differ by their 32 of the 40 photos, their
# heads' first values, and the order and augmentation of what they see.
networks = dict(
    a=dict(
        labelled="train_quick_20-l_labeled_0",
        seed=1,
        supervised="../supervised/deeplabv2_lite0_voc12_animals.py",
        mutual="mutual_lite0_voc12_animals.py",
    ),
    b=dict(
        labelled="train_quick_20-r_labeled_0",
        seed=2,
        supervised="../supervised/deeplabv2_lite0_voc12_animals.py",
        mutual="mutual_lite0_voc12_animals.py",
    ),
)
baseline = dict(labelled=dict(networks["a"], labelled=pixel_labels, seed=0))
unlabelled = "train_quick_20_unlabeled_0"
look = dict(canvas=None)
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = [
    *supervised_phase(baseline, iterations=300),
    *supervised_phase(networks, iterations=300),
    *mutual_rounds(networks, unlabelled, epochs=3, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look),
    dict(
        stage="dmt.eval_confident",
        name="eval_pseudo",
        labels="labels_b4",
        thresholds="thresholds_b4",
        split=unlabelled,
        classes=frequent,
    ),
    # The reference: every mask of the 800, which the other networks never see.
    dict(
        stage="train",
        name="full",
        config="../deeplab/deeplabv2_lite0_voc12_animals.py",
        split="train_quick",
        pixel_labels="train_quick",
        oracle=True,
    ),
    *evaluations(
        dict(val_labelled="labelled0", val_a0="a0", val_b0="b0", val="a5", val_b="b5", val_full="full"),
        classes=frequent,
        split="val",
        **look,
    ),
]
