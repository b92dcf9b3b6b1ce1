# WSGCN's DeepLab v2 from weights that saw masks of COCO (kazuto1011/deeplab-pytorch). Effective batch 10: 5 images, two
# accumulations there.
_base_ = ["../_base_/deeplabv2_resnet101_msc.py"]

data = dict(root="data/voc12")
