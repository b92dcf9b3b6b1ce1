# Group-WSSS's DeepLab v2 on VGG16. The authors publish no constants for it: these are DeepLab v2's.
_base_ = ["../_base_/deeplabv2_vgg16_aspp.py"]

data = dict(root="data/voc12")
