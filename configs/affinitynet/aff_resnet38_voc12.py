# AffinityNet on ResNet-38, from ImageNet's weights (not the classifier's): 8 epochs, lr 0.01.
_base_ = ["../_base_/runtime.py"]

train_cfg = dict(type="SeekingTrainLoop", max_epochs=8)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.01, weight_decay=5e-4, momentum=5e-4, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), bias_decay=0, norm="train", new=("reduce", "fuse")),
)

custom_imports = dict(imports=["methods.affinitynet.labels"], allow_failed_imports=False)

train_pipeline = [
    dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(type="RandomCropContainer", size=448, pad=(0, 0, 0)),
    dict(type="RandomMirror", prob=0.5),
    dict(type="MergeScores", stride=8),
    dict(type="Pack"),
]

train_dataloader = dict(batch_size=8, num_workers=8, dataset=dict(pipeline=train_pipeline))
data = dict(root="data/voc12")

model = dict(
    type="AffinityNet",
    backbone=dict(
        type="ResNet38",
        out_indices=(1, 2, 3),
        frozen="b2",
        init_cfg=dict(type="NamedWeights", weights="resnet38_imagenet"),
    ),
    widths=(64, 128, 256),
    radius=5,
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)
