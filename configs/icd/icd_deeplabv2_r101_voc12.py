"""ICD (CVPR 2020), tags alone, DeepLab v2 on ResNet-101: seeds on train_aug, mIoU on val.

Expected, mIoU: seeds without CRF 60.2 and 60.3 (two reruns of the authors, js-fan/ICD issue 4), with CRF 62.2 (paper,
quoted there; reruns 62.2 and 62.4);
DeepLab 64.1 on val (a third-party list of results, which says DeepLab v1; the authors' README says v2).
Time and memory: not measured; both networks need a GPU.
Data: voc12 (`wsseg data prepare voc12 --tags xml-no-difficult`), photos and tags of train_aug; the masks only judge.
Weights: vgg16_20M, BGR minus the mean as Caffe has it: `wsseg weights import deeplab_largeFOV.pth --as vgg16_20M`;
ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/icd/icd_deeplabv2_r101_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.icd.recipe import crf_labels, discriminated, seeds, superpixels

method = "icd"
seed = 0

look = dict(canvas=513, scale=1.0)  # at inference a photo lies on a square of 513 pixels
felzenszwalb = dict(k=75, min_size=75, sigma=0.8, merge=64)  # at most 64 superpixels

pipeline = [
    # Superpixels, joined by conv5_3 of ImageNet's VGG16.
    *superpixels("discriminator_vgg16_voc12.py", "train_aug", **felzenszwalb, **look),
    # CAM, bottom-up and top-down branch, trained together; their maps at one scale.
    *discriminated(
        "discriminator_vgg16_voc12.py", "train_aug", segments="merged", **look, squash=None, judged="train_aug"
    ),
    # The sign of the top-down maps, then a dense CRF that trusts a label with one half.
    *seeds("discriminator", judged="train_aug"),
    *crf_labels(crf=_base_.crf_psa, confidence=0.5, judged="train_aug"),
    # DeepLab v2 from ImageNet's ResNet-101; the authors publish no constants for it.
    *retrained(
        "../deeplab/deeplabv2_r101_imagenet_voc12.py", labels="pseudo", split="train_aug", crf=_base_.crf_deeplab
    ),
]
