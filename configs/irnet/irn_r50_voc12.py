# IRNet's inter-pixel network: an ImageNet ResNet-50 that is never trained, boundary head lr 0.1, displacement head x10.
_base_ = ["../_base_/runtime.py"]

train_cfg = dict(type="SeekingTrainLoop", max_epochs=3)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("displacement_head",), bias_decay=1),
)
data = dict(root="data/voc12")
custom_imports = dict(imports=["methods.irnet.model"], allow_failed_imports=False)

model = dict(
    type="InterPixelNet",
    backbone=dict(
        type="DilatedResNet",
        depth=50,
        strides=(1, 2, 2, 1),
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet50-V1"),
    ),
    radius=10,
    edge=dict(width=32, groups=4),
    displacement=dict(widths=(64, 128, 256, 256, 256), groups=(8, 16, 16, 16, 16)),
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="RandomRescale", low=0.5, high=1.5),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=512),
            dict(type="Pack"),
        ],
    ),
)
