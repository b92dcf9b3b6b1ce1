# ICD's DeepLab v2 on VGG16, of which its authors publish no constants.
_base_ = ["../_base_/deeplabv2_vgg16_aspp.py"]

data = dict(root="data/voc12")
