# DeepLab v3+ (Chen et al. 2018b) with plain convolutions on torchvision's ResNet-50, output stride 16. Trains with
# schedules/deeplabv3plus_20k.py.
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
        type="DilatedResNet",
        depth=50,
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2),
        contract_dilation=True,
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet50-V1"),
    ),
    decode_head=dict(
        type="PlainASPPPlusHead",
        in_channels=(256, 2048),
        in_index=(1, 4),
        rates=(6, 12, 18),
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)
