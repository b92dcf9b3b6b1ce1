# DeepLab v1 on ResNet-101 from ImageNet: one large field of view (dilation 12), one scale. DRS's authors publish no
# constants for it: backbone, rates and augmentation are those of DeepLab v2 on ResNet-101.
_base_ = ["../_base_/runtime.py"]

custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
    backbone=dict(
        type="DilatedResNet",
        depth=101,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        frozen_bn=True,
        frozen_stages=0,
        norm_cfg=dict(type="BN", requires_grad=False),
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet101-V1"),
    ),
    decode_head=dict(
        type="LargeFOVHead",
        in_channels=2048,
        dilation=12,
        hidden=1024,
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)

train_dataloader = dict(
    batch_size=10,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
            dict(type="MeanPadCrop", size=321, pad=(123.675, 116.28, 103.53)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=2.5e-4, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 20), new=("decode_head",), bias_decay=0),
)
data = dict(root="data/voc12")
