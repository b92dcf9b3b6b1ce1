# Puzzle-CAM's DeepLab v3+: ResNet-50 of output stride 16 without dilation, its batch norms with stored statistics, but
# trained scale and shift. Group norm of 4 groups in the head, plain convolutions, dropouts 0.5, 0.5 and 0.1, corners
# aligned. 50 epochs of crops 512 from photos of 256 to 1024 pixels, lr 0.007.
_base_ = ["../_base_/runtime.py"]

custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
    backbone=dict(
        type="DilatedResNet",
        depth=50,
        strides=(1, 2, 2, 1),
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet50-V1"),
    ),
    decode_head=dict(
        type="PlainASPPPlusHead",
        in_channels=(256, 2048),
        in_index=(1, 4),
        rates=(6, 12, 18),
        aspp_first=True,
        dropouts=(0.5, 0.5, 0.1),
        norm_cfg=dict(type="GN", num_groups=4),
        align_corners=True,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=256, high=1024),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=512),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=50)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.007, weight_decay=4e-5, momentum=4e-5, nesterov=True, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), new=("decode_head",), bias_decay=0),
)
data = dict(root="data/voc12")
