"""Strong-Weak on any photos: EfficientNet-Lite0, masks of the list train, tags of all, IRNet's labels for train_weak.

Expected: not measured; the same stages on 800 photos of animals: strong_weak_voc12_animals.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with the lists train_aug, train (with masks)
and val, and tags of train_aug; `wsseg data splits DIR` writes train_weak, what train_aug has besides train.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/strong_weak/strong_weak_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py", "../_base_/crf.py"]
from common.fragments import cams
from methods.irnet.recipe import boundaries, pseudo_labels
from methods.strong_weak.recipe import dual

method = "strong_weak"
seed = 0
uses = ("tags (IRNet's labels)",)
pixel_labels, weak = "train", "train_weak"

walk = dict(beta=10, exp_times=8, radius=5, canvas=16, background=0.55)  # the canvas grows with the photo
schedule = dict(iterations=1200, step=720)
look = dict(scales=(1.0,))

pipeline = [
    *cams(
        "../irnet/cam_lite0_photos.py",
        "train_aug",
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold="best",
        judged="train",
    ),
    *boundaries("../irnet/irn_lite0_photos.py", "train_aug", fg=0.50, bg=0.25, crf=_base_.crf_irn),
    *pseudo_labels(**walk, judged="train"),
    *dual("dual_lite0_photos.py", pixel_labels, weak, labels="pseudo", **schedule, **look),
]
