"""AffinityNet on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags only, for two CPU cores.

Expected, mIoU of the frequent classes: CAM 46.6, pseudo labels 51.4, DeepLab 44.8 (results/affinitynet, seed 0).
Time and memory: 64 minutes on one CPU core, 3.5 GB (measured).
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos and tags of train_quick; the masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/affinitynet/affinitynet_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
from common.fragments import cams, retrained
from methods.affinitynet.recipe import affinities, pseudo_labels

method = "affinitynet"
seed = 0
tuned_on = ("train_quick",)  # alphas and steps

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

pipeline = [
    *cams(
        "cls_lite0_voc12_animals.py",
        images,
        scales=(0.5, 1.0, 1.5),
        flip=True,
        stride=1,
        threshold="best",
        judged=images,
        classes=frequent,
    ),
    # These CAMs fall slowly: their best threshold is about 0.45 (on VOC 0.2), so every alpha is smaller.
    *affinities("aff_lite0_voc12_animals.py", images, low_alpha=0.75, high_alpha=3, crf=_base_.crf_psa),
    *pseudo_labels(
        alpha=1.25,
        beta=8,
        logt=6,  # 45 cells across, in the paper 63
        radius=5,
        border="complete",
        scale=1.5,
        judged=images,
        classes=frequent,
    ),
    *retrained(
        "../deeplab/deeplabv2_lite0_voc12_animals.py",
        labels="pseudo",
        split=images,
        classes=frequent,
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
