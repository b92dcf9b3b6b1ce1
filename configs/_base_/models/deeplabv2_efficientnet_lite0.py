# The quick segmentation network: EfficientNet-Lite0 at output stride 16, DeepLab v2's sum of dilated 3x3 with half the
# dilations (the same field of view), one scale, logits at image size. Its ImageNet weights come as a package.
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[127.5, 127.5, 127.5],
        std=[127.5, 127.5, 127.5],
        size_divisor=1,
    ),
    backbone=dict(
        type="EfficientNetLite",
        name="lite0",
        output_stride=16,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="package://efficientnet_lite0"),
    ),
    decode_head=dict(
        type="SumASPPHead",
        in_channels=320,
        num_classes=21,
        rates=(3, 6, 9, 12),
        new_std=0.001,  # the features are a linear bottleneck, an order larger than behind a ReLU
        labels="image",
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)
