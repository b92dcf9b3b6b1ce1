# SEAM's "DeepLab v1": LargeFOV head with batch normalisation on ResNet-38, cross entropy at image size, corners
# aligned. Its head's batch normalisation updates its statistics only.
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
        frozen="stem",
        init_cfg=dict(type="NamedWeights", weights="resnet38_imagenet"),
    ),
    decode_head=dict(
        type="LargeFOVHead",
        in_channels=4096,
        num_classes=21,
        dilation=12,
        hidden=512,
        norm_cfg=dict(type="BN"),
        dropouts=(0.0, 0.5),
        labels="image",
        align_corners=True,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)
