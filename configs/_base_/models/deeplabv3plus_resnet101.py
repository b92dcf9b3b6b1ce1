# DeepLab v3+ (Chen et al. 2018b) as on ResNet-50, on torchvision's ResNet-101.
_base_ = ["deeplabv3plus_resnet50.py"]
model = dict(backbone=dict(depth=101, init_cfg=dict(weights="torchvision://resnet101-V1")))
