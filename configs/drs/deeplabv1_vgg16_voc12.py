# DRS's DeepLab-LargeFOV on VGG16. Its authors name the public PyTorch code and no constants: these are AffinityNet's of
# the same code.
_base_ = ["../affinitynet/deeplabv1_vgg16_voc12.py"]
