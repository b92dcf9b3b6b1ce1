# DeepLab v2 as DMT trains it: torchvision's ResNet-101 (stride on the 3x3) at output stride 8, the first block of a
# dilated stage with the dilation of the stage before; norms follow the batch. The authors' sum ends after the branches
# of rates 6 and 12; rates=(6, 12, 18, 24) is the head as it was meant. Logits grow to the image, corners aligned.
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
        depth=101,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=True,
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet101-V1"),
    ),
    decode_head=dict(
        type="SumASPPHead",
        in_channels=2048,
        rates=(6, 12),
        new_std=None,
        labels="image",
        align_corners=True,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)
