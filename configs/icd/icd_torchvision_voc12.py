"""ICD (CVPR 2020), tags alone, up to the seeds, from torchvision's VGG16.

Expected, mIoU: not published for these weights; with the authors' seeds 60.2, with CRF 62.2 (js-fan/ICD issue 4).
Time and memory: not measured; the network needs a GPU.
Data: voc12 (`wsseg data prepare voc12 --tags xml-no-difficult`), photos and tags of train_aug; the masks only judge.
Weights: VGG16 of ImageNet, RGB, which torchvision fetches at the first use; its fc6 and fc7 are made smaller.
Run: wsseg run configs/icd/icd_torchvision_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from methods.icd.recipe import crf_labels, discriminated, seeds, superpixels

method = "icd"
seed = 0

look = dict(canvas=513, scale=1.0)  # at inference a photo lies on a square of 513 pixels
felzenszwalb = dict(k=75, min_size=75, sigma=0.8, merge=64)  # at most 64 superpixels

pipeline = [
    # Superpixels, joined by conv5_3 of ImageNet's VGG16.
    *superpixels("discriminator_vgg16_torchvision_voc12.py", "train_aug", **felzenszwalb, **look),
    # CAM, bottom-up and top-down branch, trained together; their maps at one scale.
    *discriminated(
        "discriminator_vgg16_torchvision_voc12.py",
        "train_aug",
        segments="merged",
        **look,
        squash=None,
        judged="train_aug",
    ),
    # The sign of the top-down maps, then a dense CRF that trusts a label with one half.
    *seeds("discriminator", judged="train_aug"),
    *crf_labels(crf=_base_.crf_psa, confidence=0.5, judged="train_aug"),
]
