# SEAM's "DeepLab v1": LargeFOV head with batch normalisation on ResNet-38, cross entropy at image size, corners
# aligned. The released script never asks for training mode, so the code that freezes the backbone's norms and stem did
# not run: the norms use the batch's statistics, every convolution is trained. As it was meant: frozen="stem",
# statistics="stored". Trains with schedules/deeplabv1_resnet38_20k.py.
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        size_divisor=1,
    ),
    backbone=dict(
        type="ResNet38",
        frozen="none",
        statistics="batch",
        bn_momentum=3e-4,
        init_cfg=dict(type="NamedWeights", weights="resnet38_imagenet"),
    ),
    decode_head=dict(
        type="LargeFOVHead",
        in_channels=4096,
        dilation=12,
        hidden=512,
        norm_cfg=dict(type="BN", momentum=3e-4, requires_grad=False),
        dropouts=(0.0, 0.5),
        labels="image",
        align_corners=True,
        new_std=None,
        init_cfg=dict(type="Kaiming", layer="Conv2d", mode="fan_out", distribution="normal"),
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)
