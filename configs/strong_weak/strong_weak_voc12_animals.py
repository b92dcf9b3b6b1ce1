"""Strong-Weak on 800 photos of animals of 240 pixels, 200 with masks, IRNet's labels for the others.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), its lists
`wsseg data splits data/voc12_animals --of train_quick`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/strong_weak/strong_weak_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
from common.fragments import cams
from methods.irnet.recipe import boundaries, pseudo_labels
from methods.strong_weak.recipe import dual

method = "strong_weak"
seed = 0
tuned_on = ("train_quick",)  # what it shares with irnet_voc12_animals.py: the background of the walk
uses = ("tags (IRNet's labels)",)
images = "train_quick"  # train_aug holds all 3131
pixel_labels, weak = "train_quick_4_labeled_{seed}", "train_quick_4_unlabeled_{seed}"
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

walk = dict(beta=10, exp_times=6, radius=5, canvas=240, background=0.55)
schedule = dict(iterations=300, step=180)  # starting points
look = dict(scales=(1.0,), classes=frequent)

pipeline = [
    *cams(
        "../irnet/cam_lite0_voc12_animals.py",
        images,
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold="best",
        judged=images,
        classes=frequent,
    ),
    *boundaries("../irnet/irn_lite0_voc12_animals.py", images, fg=0.50, bg=0.25, crf=_base_.crf_irn),
    *pseudo_labels(**walk, judged=images, classes=frequent),
    *dual("dual_lite0_voc12_animals.py", pixel_labels, weak, labels="pseudo", **schedule, **look),
]
