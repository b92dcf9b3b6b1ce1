# AffinityNet on VGG16, from DeepLab-LargeFOV's initial weights: fc6 dilated by 4, GroupNorm on the taps, 8 epochs,
# lr 0.1.
_base_ = ["../_base_/runtime.py"]

train_cfg = dict(type="SeekingTrainLoop", max_epochs=8)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=5e-4, momentum=5e-4, power=0.9),
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
        type="VGG16FullyConv",
        fc6_dilation=4,
        frozen_stages=1,
        init_cfg=dict(type="NamedWeights", weights="vgg16_20M"),
    ),
    widths=(64, 128, 256),
    groups=(8, 16, 32),
    radius=5,
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[104.008, 116.669, 122.675],  # BGR
        std=[1.0, 1.0, 1.0],
        rgb_to_bgr=True,
        size_divisor=1,
    ),
)
