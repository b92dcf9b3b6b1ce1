"""SEAM (CVPR 2020): CAM and pseudo labels on train and val, DeepLab v1 on ResNet-38 on val.

Expected, mIoU: CAM at its best threshold 55.41 (paper, table 1, quoted in YudeWang/SEAM issue 25), pseudo labels 63.61
(paper, section 4.3, quoted in issue 17), DeepLab 64.5 (paper, quoted in issue 28).
Time and memory: not measured; the authors name 4 GPUs of 12 GB, of which about 4 GB each are used (README, issue 30).
Data: voc12 (`wsseg data prepare voc12`), photos and tags of train_aug; the masks only judge.
Weights: resnet38_imagenet (github.com/itijyou/ademxapp): `wsseg weights import FILE --as resnet38_imagenet`.
Run: wsseg run configs/seam/seam_resnet38_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.seam.recipe import affinity_labels, labels_of_val, refined_cams

method = "seam"
seed = 0

look = dict(scales=(0.5, 1.0, 1.5, 2.0), flip=True, normalisation="class_min_max", stride=1)
walk = dict(alpha=6, beta=8, logt=6, radius=5)  # 2^6 = 64 steps

pipeline = [
    # SEAM's network, and its refined CAMs of the tagged classes summed over four scales and the mirror image.
    *refined_cams("cam_resnet38_voc12.py", "train_aug", **look, threshold=0.26, judged="train"),
    # AffinityNet on ResNet-38, its learning rate 0.01.
    *affinity_labels(
        "../affinitynet/aff_resnet38_voc12.py",
        "train_aug",
        low_alpha=4,
        high_alpha=24,
        crf=_base_.crf_psa,
        walk=walk,
        judged="train",
    ),
    # The same on val, whose tags are given to it.
    *labels_of_val(look, walk),
    # DeepLab v1 on ResNet-38.
    *retrained(
        "deeplabv1_resnet38_voc12.py",
        labels="pseudo",
        split="train_aug",
        scales=(0.5, 0.75, 1.0, 1.25, 1.5, 1.75),
        flip=True,
        crf=_base_.crf_seam_retrain,
    ),
]
