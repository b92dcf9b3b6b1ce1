# ICD's DeepLab v1 on ResNet-101, of which its authors publish no constants: DRS's, one large field of view from
# ImageNet's weights.
_base_ = ["../drs/deeplabv1_r101_voc12.py"]
