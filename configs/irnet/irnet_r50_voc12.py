"""IRNet (CVPR 2019), the row of ResNet-50: CAM, semantic and instance pseudo labels on train, DeepLab v2 on val.

Expected, mIoU: CAM 48.3, pseudo labels 66.5, and AP of instances at IoU 0.5 37.7 (paper, quoted in jiwoon-ahn/irn
issue 4); DeepLab 63.5 (paper).
Time and memory: not measured; the classifier, the inter-pixel network and DeepLab need a GPU.
Data: voc12 (`wsseg data prepare voc12`), photos and tags of train_aug; the masks only judge.
Weights: ResNet-50 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/irnet/irnet_r50_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import cams, retrained
from methods.irnet.recipe import boundaries, instances, pseudo_labels

method = "irnet"
seed = 0

walk = dict(beta=10, exp_times=8, radius=5, canvas=512, background=0.25)  # 2^8 = 256 steps

pipeline = [
    # Classifier, and CAMs of the tagged classes summed over four scales and the mirror image.
    *cams("cam_r50_voc12.py", "train_aug", scales=(1.0, 0.5, 1.5, 2.0), flip=True, threshold=0.15, judged="train"),
    # Confident pixels teach boundaries and displacements.
    *boundaries("irn_r50_voc12.py", "train_aug", fg=0.30, bg=0.05, crf=_base_.crf_irn),
    # Semantic pseudo labels.
    *pseudo_labels(**walk, judged="train"),
    # Instance pseudo labels.
    *instances("train", crop=512, batch=32, **walk, iterations=300, weak=2.5, min_area=0.01, iou=0.5),
    # DeepLab v2 on the semantic labels, judged with five scales, mirror images and CRF.
    *retrained(
        "deeplabv2_r50_voc12.py",
        labels="pseudo",
        split="train_aug",
        scales=(0.5, 0.75, 1.0, 1.25, 1.5),
        flip=True,
        crf=_base_.crf_deeplab,
    ),
]
