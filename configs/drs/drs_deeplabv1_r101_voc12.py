"""DRS (AAAI 2021), the row of DeepLab v1 on ResNet-101: maps and pseudo labels on train, mIoU on val.

Expected, mIoU: pseudo labels after the classifier about 63 (paper, quoted in qjadud1994/DRS issue 17);
not published for this network alone.
Time and memory: not measured; the three networks need a GPU.
Data: voc12 (`wsseg data prepare voc12`) with saliency maps (the released code's saliency_map.zip) in its folder of
saliency; photos, tags and saliency of train_aug; the masks only judge.
Weights: VGG16 and ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/drs/drs_deeplabv1_r101_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.drs.recipe import pseudo_labels, refined_maps, suppressed_maps

method = "drs"
seed = 0
uses = ("tags", "saliency")

look = dict(size=320, sizes=(256, 320, 384))
rule = dict(salient=51, floor=0.2, conflict=0.9, conflicts=3)  # saliency above 50; alpha 0.2; three scores over 0.9

pipeline = [
    # Classifier with learnable suppression, and its maps: the maximum over three sizes, in whole levels of 255.
    *suppressed_maps("cls_vgg16_voc12.py", "train_aug", **look, judged="train"),
    # A network without suppression regresses these maps and so takes noise off them.
    *refined_maps("refine_vgg16_voc12.py", "train_aug", **look, judged="train"),
    # Refined maps and saliency give pseudo labels.
    *pseudo_labels("refined", "train_aug", rule=rule, judged="train", plain="make_cam"),
    # DeepLab v1 with one large field of view; the authors publish no constants for it.
    *retrained("deeplabv1_r101_voc12.py", labels="pseudo", split="train_aug", crf=_base_.crf_deeplab),
]
