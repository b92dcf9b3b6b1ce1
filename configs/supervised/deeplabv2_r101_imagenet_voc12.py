# The supervised baseline of DMT's table: its DeepLab v2 from ImageNet, batches of 8. A recipe sets the iterations.
# Torchvision's ResNet-101 (stride on the 3x3) at output stride 8, the first block of a dilated stage with the dilation
# of the stage before; norms follow the batch. The authors' sum ends after the branches of rates 6 and 12; rates=(6, 12,
# 18, 24) is the intended head. Logits grow to the image, corners aligned. lr 0.002 and decay for everything. Factor 0.5
# .. 1.5, padded at the bottom and right with black and 255. It is the base of DMT's other networks.
_base_ = ["../_base_/runtime.py"]

train_dataloader = dict(
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleRange", low=0.5, high=1.5),
            dict(type="MeanPadCrop", size=321, pad=(0, 0, 0)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
    batch_size=8,
)
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

train_pipeline = train_dataloader["dataset"]["pipeline"]  # finished runs have this name in their config, too

train_cfg = dict(type="SeekingTrainLoop", max_iters=8978)  # 134 epochs of 67 batches: 1/20

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=2e-3, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 1, 1), bias_decay=1),
)
data = dict(root="data/voc12")
