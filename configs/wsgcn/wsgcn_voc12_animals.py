"""WSGCN on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags only.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos and tags of train_quick; the masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/wsgcn/wsgcn_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
from common.fragments import cams, retrained
from methods.irnet.recipe import boundaries
from methods.wsgcn.recipe import complete_labels, partial_labels

method = "wsgcn"
seed = 0
tuned_on = ("train_quick",)  # what it shares with irnet_voc12_animals.py

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

walk = dict(beta=10, exp_times=6, radius=5, canvas=240)  # 64 steps, IRNet's
graph = dict(window=2, colour=12, place=20, dense=4000, modes=384)
fit = dict(steps=250, width=16, dropout=0.3, lr=0.01, weight_decay=5e-4, entropy=10, laplacian=0.01)
crf_cells = dict(iterations=10, bilateral=(20, 3, 10), gaussian=(4, 3))  # on the scores' cells at stride 4
crf_fitted = dict(iterations=10, bilateral=(50, 5, 3), gaussian=(3, 3))  # on what the graph network says, at photo size

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
    *boundaries(
        "../irnet/irn_lite0_voc12_animals.py",
        images,
        fg=0.50,
        bg=0.25,
        crf=_base_.crf_irn,
        judged=images,
        classes=frequent,
    ),
    # Starting points.
    *partial_labels(
        alphas=(0.75, 3),
        confidence=0.8,
        share=0.3,
        floor=0.4,
        background=0.8,
        crf=crf_cells,
        judged=images,
        classes=frequent,
    ),
    *complete_labels(walk=walk, graph=graph, fit=fit, crf=crf_fitted, judged=images, classes=frequent),
    *retrained(
        "../deeplab/deeplabv2_lite0_voc12_animals.py",
        labels="pseudo",
        split=images,
        classes=frequent,
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
