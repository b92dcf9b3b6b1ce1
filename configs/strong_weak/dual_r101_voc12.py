# Strong-Weak on ResNet-101 with ImageNet weights, output stride 8; its batch normalisation is frozen altogether, else
# both kinds of images would share its statistics. All else as on VGG16.
_base_ = ["dual_vgg16_voc12.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="DilatedResNet",
        depth=101,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        frozen_bn=True,
        norm_cfg=dict(type="BN", requires_grad=False),
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet101-V1"),
    ),
    decode_head=dict(in_channels=2048),
)
