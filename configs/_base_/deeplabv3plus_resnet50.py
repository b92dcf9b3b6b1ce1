# DeepLab v3+ (Chen et al. 2018b) with plain convolutions on torchvision's ResNet-50, output stride 16.
# As DRS trains it: 20 000 iterations of 32 images, lr 0.005 in the backbone, x10 in the head, poly 0.9 with the floor
# 1e-6; weight decay on everything. The transforms are the method's. On ResNet-101: model =
# dict(backbone=dict(depth=101, init_cfg=dict(weights="torchvision://resnet101-V1"))).
_base_ = ["runtime.py"]

train_dataloader = dict(
    num_workers=8,
    batch_size=32,
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

train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=5e-3, weight_decay=1e-4, momentum=0.9, power=0.9, floor=1e-6),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("decode_head",), bias_decay=1),
)
