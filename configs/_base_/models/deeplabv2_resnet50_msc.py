# DeepLab v2 on torchvision's ResNet-50 with ImageNet weights: stride on the 3x3, RGB; otherwise as the
# ResNet-101 one. Trains with schedules/deeplabv2_20k.py and pipelines/deeplab_rgb_321.py.
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)
model = dict(
    type="MultiScaleMaxSegmentor",
    scales=(0.5, 0.75),
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        size_divisor=1,
    ),
    backbone=dict(
        type="DilatedResNet",
        depth=50,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        ceil_mode=True,
        frozen_bn=True,
        frozen_stages=0,
        norm_cfg=dict(type="BN", requires_grad=False),
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet50-V1"),
    ),
    decode_head=dict(
        type="SumASPPHead",
        in_channels=2048,
        rates=(6, 12, 18, 24),
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)
