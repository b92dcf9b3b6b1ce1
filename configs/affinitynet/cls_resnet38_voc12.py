# AffinityNet's classifier on ResNet-38: 15 epochs, lr 0.01 (the released script's 0.1 is VGG16's).
_base_ = ["../_base_/runtime.py"]

train_cfg = dict(type="SeekingTrainLoop", max_epochs=15)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.01, weight_decay=5e-4, momentum=5e-4, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), bias_decay=0, norm="train", new=("head",)),
)
data = dict(root="data/voc12")
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="CamClassifier",
    backbone=dict(type="ResNet38", frozen="b2", init_cfg=dict(type="NamedWeights", weights="resnet38_imagenet")),
    dropout=0.5,
    head_gain=1.0,
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=256, high=512),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomCropContainer", size=448),
            dict(type="Pack"),
        ],
    ),
)
