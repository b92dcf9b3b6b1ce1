# Puzzle-CAM's affinity network: IRNet's class boundaries without displacements, on an ImageNet ResNet-50 that is never
# trained. One learning rate and weight decay for all of the head.
_base_ = ["../_base_/runtime.py"]

custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="BoundaryNet",
    backbone=dict(
        type="DilatedResNet",
        depth=50,
        strides=(1, 2, 2, 1),
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet50-V1"),
    ),
    radius=10,
    edge=dict(width=32, groups=4),
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=320, high=640),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=512),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=3)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, nesterov=True, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 1, 1), bias_decay=1),
)
data = dict(root="data/voc12")
