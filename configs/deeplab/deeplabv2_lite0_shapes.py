# The quick DeepLab v2 on the built-in benchmark; dilations for pictures of 128 pixels.
_base_ = ["../_base_/runtime.py", "../_base_/models/deeplabv2_efficientnet_lite0.py", "../_base_/data/shapes.py"]

model = dict(backbone=dict(frozen_stages=2), decode_head=dict(num_classes=7, rates=(1, 2, 4, 6)))

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(1.0, 1.5, 2.0)),
            dict(type="MeanPadCrop", size=160, pad=(127.5, 127.5, 127.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=10)
# The head reads large, linear features: it takes a tenth of the learning rate where DeepLab gives it ten times.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=5e-3, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 0.1, 0.2), new=("decode_head",), bias_decay=0),
)
