"""Strong-Weak on the built-in benchmark, 1/4 of the pictures with masks, IRNet's labels for the others.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/strong_weak/strong_weak_shapes.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import cams
from methods.irnet.recipe import boundaries, pseudo_labels
from methods.strong_weak.recipe import dual

method = "strong_weak"
seed = 0
tuned_on = ("train",)  # what it shares with irnet_shapes.py: learning rates
uses = ("tags (IRNet's labels)",)
pixel_labels, weak = "4_labeled_{seed}", "4_unlabeled_{seed}"  # split k for seed k

walk = dict(beta=10, exp_times=7, radius=5, canvas=128, background=0.62)
schedule = dict(iterations=300, step=180)  # the same for every row; starting points
look = dict(scales=(1.5,))  # enlarged, as in training: the pictures have 128 pixels

pipeline = [
    # Weak labels: IRNet's, from its own run where there is one.
    *cams("../irnet/cam_lite0_shapes.py", "train_aug", scales=(1.5, 2.0), flip=True, threshold="best", judged="train"),
    *boundaries("../irnet/irn_lite0_shapes.py", "train_aug", fg=0.70, bg=0.35, crf=_base_.crf_irn),
    *pseudo_labels(**walk, judged="train"),
    # One trunk, a branch for the masks and one for the weak labels; the first is tested.
    *dual("dual_lite0_shapes.py", pixel_labels, weak, labels="pseudo", **schedule, **look),
]
