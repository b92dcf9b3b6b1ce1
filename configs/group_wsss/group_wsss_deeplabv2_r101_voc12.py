"""Group-WSSS (AAAI 2021), the row of DeepLab v2 on ResNet-101: maps and pseudo labels on train, mIoU on val.

Expected, mIoU: DeepLab 68.2 on val (third-party list of results); maps and pseudo labels were not published.
Time and memory: not measured; the two networks need a GPU.
Data: voc12 (`wsseg data prepare voc12`) with soft saliency maps (the authors use DSS's) in its folder of saliency;
photos, tags and saliency of train_aug; the masks only judge.
Weights: VGG16 and ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/group_wsss/group_wsss_deeplabv2_r101_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import retrained, salient_labels
from methods.group_wsss.recipe import mined_maps

method = "group_wsss"
seed = 0
uses = ("tags", "saliency")

rule = dict(salient=32, soft=True, conflict=0.9, conflicts=2, strong=0.8, min_foreground=0.01)

pipeline = [
    # Groups of three photos with the same tags; the maps of epochs 1 to 14 are accumulated while the network trains.
    *mined_maps("groups_vgg16_voc12.py", "train_aug", size=256, judged="train"),
    # Maps and soft saliency give pseudo labels.
    *salient_labels("make_cam", "train_aug", rule=rule, judged="train"),
    # DeepLab v2; the authors publish no constants for it.
    *retrained(
        "../deeplab/deeplabv2_r101_imagenet_voc12.py", labels="pseudo", split="train_aug", crf=_base_.crf_deeplab
    ),
]
