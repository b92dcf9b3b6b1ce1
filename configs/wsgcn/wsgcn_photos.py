"""WSGCN on any photos: EfficientNet-Lite0, tags only.

Expected: not measured; the same stages on 800 photos of animals: wsgcn_voc12_animals.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with the lists train_aug, train and val, and
tags of train_aug. Where there are masks of train or val, they judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/wsgcn/wsgcn_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py", "../_base_/crf.py"]
from common.fragments import cams, retrained
from methods.irnet.recipe import boundaries
from methods.wsgcn.recipe import complete_labels, partial_labels

method = "wsgcn"
seed = 0

walk = dict(beta=10, exp_times=8, radius=5, canvas=16)  # it grows with the photo
graph = dict(window=2, colour=12, place=20, dense=4000, modes=384)
# The mean of the entropy is over the classes, too: its weight is 10 for 21 classes, 10 C / 21 for C.
fit = dict(steps=250, width=16, dropout=0.3, lr=0.01, weight_decay=5e-4, entropy=10, laplacian=0.01)
crf_cells = dict(iterations=10, bilateral=(20, 3, 10), gaussian=(4, 3))  # on the scores' cells at stride 4
crf_fitted = dict(iterations=10, bilateral=(50, 5, 3), gaussian=(3, 3))  # on what the graph network says, at photo size

pipeline = [
    *cams(
        "../irnet/cam_lite0_photos.py",
        "train_aug",
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold="best",
        judged="train",
    ),
    *boundaries("../irnet/irn_lite0_photos.py", "train_aug", fg=0.50, bg=0.25, crf=_base_.crf_irn, judged="train"),
    # The CAMs of this backbone fall slowly: with the paper's alphas nearly everything would be a class.
    *partial_labels(
        alphas=(0.75, 3),
        confidence=0.8,
        share=0.3,
        floor=0.4,
        background=0.8,
        crf=crf_cells,
        judged="train",
    ),
    *complete_labels(walk=walk, graph=graph, fit=fit, crf=crf_fitted, judged="train"),
    *retrained(
        "../deeplab/deeplabv2_lite0_photos.py",
        labels="pseudo",
        split="train_aug",
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
