"""AffinityNet (CVPR 2018), the row of ResNet-38: CAM and pseudo labels on train and val, DeepLab v1 on val.

Expected, mIoU on train and val: CAM 47.7 and 47.2, pseudo labels 61.0 and 60.2 (README of jiwoon-ahn/psa); DeepLab 61.7
on val (paper, quoted by peihan-miao/ResNet38-Semantic-Segmentation).
Time and memory: not measured; the three networks need a GPU.
Data: voc12 (`wsseg data prepare voc12`), photos and tags of train_aug; the masks only judge.
Weights: resnet38_imagenet (github.com/itijyou/ademxapp): `wsseg weights import FILE --as resnet38_imagenet`.
Run: wsseg run configs/affinitynet/affinitynet_resnet38_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import cams, retrained
from methods.affinitynet.recipe import affinities, labels_of_val, pseudo_labels

method = "affinitynet"
seed = 0

look = dict(scales=(1.0, 0.5, 1.5, 2.0), flip=True, stride=1)
walk = dict(alpha=16, beta=8, logt=8, radius=5)  # 2^8 = 256 steps

pipeline = [
    # Classifier, and CAMs of the tagged classes summed over four scales and the mirror image.
    *cams("cls_resnet38_voc12.py", "train_aug", **look, threshold=0.2, judged="train"),
    # Where CAMs agree under a strong and a weak background, pairs of cells teach affinities.
    *affinities("aff_resnet38_voc12.py", "train_aug", low_alpha=4, high_alpha=32, crf=_base_.crf_psa),
    # Pseudo labels, as the released code judges them and refined by a CRF, as the segmentation network needs them.
    *pseudo_labels(**walk, judged="train", crf=_base_.crf_psa),
    # The same on val, whose tags are given to it.
    *labels_of_val(look, walk, threshold=0.2),
    # DeepLab v1 on ResNet-38: the authors' network was never published, it is retrained as SEAM's is.
    *retrained(
        "../seam/deeplabv1_resnet38_voc12.py",
        labels="pseudo_crf",
        split="train_aug",
        scales=(0.5, 0.75, 1.0, 1.25, 1.5, 1.75),
        flip=True,
        crf=_base_.crf_seam_retrain,
    ),
]
