# DeepLab v2 from ImageNet's ResNet-101, for papers that publish no constants of their last network: no masks of another
# data set. torchvision's weights want the stride on the 3x3 and RGB / 255.
_base_ = ["../_base_/deeplabv2_resnet101_msc.py"]

model = dict(
    data_preprocessor=dict(
        _delete_=True,
        type="SegDataPreProcessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        size_divisor=1,
    ),
    backbone=dict(
        _delete_=True,
        type="DilatedResNet",
        depth=101,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        ceil_mode=True,
        frozen_bn=True,
        frozen_stages=0,
        norm_cfg=dict(type="BN", requires_grad=False),
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet101-V1"),
    ),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
            dict(type="MeanPadCrop", size=321, pad=(123.675, 116.28, 103.53)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12")
