# DeepLab v2 as on ResNet-101, but on torchvision's ResNet-50 with ImageNet weights (stride on the 3x3, RGB); stem and
# batch normalisation frozen. Factor 0.5 .. 1.5, padded at the bottom and right with the mean and 255, crop 321, mirror.
# lr 2.5e-4, poly 0.9 refreshed every 10 iterations; the head's weights x10, its biases x20 without decay.
_base_ = ["../_base_/runtime.py"]

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

train_pipeline = [
    dict(type="RandomScaleChoice", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
    dict(type="MeanPadCrop", size=321, pad=(123.675, 116.28, 103.53)),
    dict(type="RandomMirror", prob=0.5),
    dict(type="Pack"),
]

train_dataloader = dict(batch_size=10, num_workers=8, dataset=dict(pipeline=train_pipeline))
data = dict(root="data/voc12")

train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)

# lr 2.5e-4, poly 0.9 refreshed every 10 iterations; the head's weights x10, its biases x20 without decay.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=2.5e-4, weight_decay=5e-4, momentum=0.9, power=0.9, refresh=10),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 20), new=("decode_head",), bias_decay=0),
)
