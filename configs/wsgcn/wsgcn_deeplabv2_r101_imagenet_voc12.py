"""WSGCN (ICME 2021), the row of DeepLab v2 from ImageNet: partial and complete labels on train, mIoU on val.

Expected, mIoU: complete labels 66.7, with CRF 68.0 (on train); DeepLab 66.7 on val and 68.8 on test
(README of Xavier-Pan/WSGCN).
Time and memory: not measured; the three networks need a GPU.
Data: voc12 (`wsseg data prepare voc12`), photos and tags of train_aug; the masks only judge.
Weights: ResNet-50 and ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/wsgcn/wsgcn_deeplabv2_r101_imagenet_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import cams, retrained
from methods.irnet.recipe import boundaries
from methods.wsgcn.recipe import complete_labels, partial_labels

method = "wsgcn"
seed = 0

walk = dict(beta=10, exp_times=8, radius=5, canvas=512)  # 2^8 = 256 steps
graph = dict(window=2, colour=12, place=20, dense=4000, modes=384)
fit = dict(steps=250, width=16, dropout=0.3, lr=0.01, weight_decay=5e-4, entropy=10, laplacian=0.01)
crf_cells = dict(iterations=10, bilateral=(20, 3, 10), gaussian=(4, 3))  # on the scores' cells at stride 4
crf_fitted = dict(iterations=10, bilateral=(50, 5, 3), gaussian=(3, 3))  # on what the graph network says, at photo size

pipeline = [
    # IRNet's classifier, CAMs and boundaries, from its own run where there is one.
    *cams(
        "../irnet/cam_r50_voc12.py",
        "train_aug",
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold=0.15,
        judged="train",
    ),
    *boundaries("../irnet/irn_r50_voc12.py", "train_aug", fg=0.30, bg=0.05, crf=_base_.crf_irn),
    # Cells that two CRF passes and the CAMs agree on.
    *partial_labels(
        alphas=(4, 32),
        confidence=0.8,
        share=0.3,
        floor=0.1,
        background=0.8,
        crf=crf_cells,
        judged="train",
    ),
    # A graph network for every photo, its labels without and with a CRF.
    *complete_labels(walk=walk, graph=graph, fit=fit, crf=crf_fitted, judged="train"),
    # DeepLab v2 on these labels, judged at one scale (and two inside it) with CRF.
    *retrained("deeplabv2_r101_imagenet_voc12.py", labels="pseudo", split="train_aug", crf=_base_.crf_deeplab),
]
