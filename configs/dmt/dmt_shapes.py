# DMT on the built-in benchmark, 12 of 240 pictures labelled (`wsseg data splits data/shapes` makes the lists), beside
# the baseline that knows those 12 alone: minutes on two CPU cores.
_base_ = ["../_base_/data/shapes.py"]
from methods.dmt.recipe import evaluations, mutual_rounds, supervised_phase  # noqa: E402  (mmengine wants the bases first)

method = "dmt"
seed = 0
uses = ()  # nothing is known of the images without masks
pixel_labels = "20_labeled_0"

# There is one set of ImageNet weights for this backbone: the two networks differ by their 9 of the 12 pictures, their
# heads' first values, and the order and augmentation of what they see.
networks = dict(
    a=dict(
        labelled="20-l_labeled_0",
        seed=1,
        supervised="../supervised/deeplabv2_lite0_shapes.py",
        mutual="mutual_lite0_shapes.py",
    ),
    b=dict(
        labelled="20-r_labeled_0",
        seed=2,
        supervised="../supervised/deeplabv2_lite0_shapes.py",
        mutual="mutual_lite0_shapes.py",
    ),
)
baseline = dict(labelled=dict(networks["a"], labelled=pixel_labels, seed=0))
look = dict(canvas=None, scales=(1.5,))  # enlarged, as in training: the pictures have 128 pixels

pipeline = [
    *supervised_phase(baseline, iterations=100),
    *supervised_phase(networks, iterations=100),
    *mutual_rounds(networks, unlabelled="20_unlabeled_0", epochs=3, ratios=(0.2, 0.4, 0.6, 0.8, 1.0), predict=look),
    dict(
        stage="dmt.eval_confident",
        name="eval_pseudo",
        labels="labels_b4",
        thresholds="thresholds_b4",
        split="20_unlabeled_0",
    ),
    *evaluations(dict(val_labelled="labelled0", val_a0="a0", val_b0="b0", val="a5", val_b="b5"), split="val", **look),
]
