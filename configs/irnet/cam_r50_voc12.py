# IRNet's classifier: ResNet-50 of output stride 16 with ImageNet weights; stem, layer1 and layer2 stay as they are.
_base_ = ["../_base_/runtime.py"]

train_cfg = dict(type="SeekingTrainLoop", max_epochs=5)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("head",), bias_decay=1),
)
data = dict(root="data/voc12")
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="CamClassifier",
    backbone=dict(
        type="DilatedResNet",
        depth=50,
        strides=(1, 2, 2, 1),
        frozen_stages=2,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet50-V1"),
    ),
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)

train_dataloader = dict(
    batch_size=16,
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
