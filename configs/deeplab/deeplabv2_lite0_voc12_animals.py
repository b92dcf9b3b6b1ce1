# DeepLab v2's head on EfficientNet-Lite0 for photos of 240 pixels, trained on IRNet's pseudo labels.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/deeplabv2_efficientnet_lite0.py",
    "../_base_/data/voc12_animals.py",
]

model = dict(backbone=dict(frozen_stages=2))

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(0.75, 1.0, 1.25, 1.5)),
            dict(type="MeanPadCrop", size=224, pad=(127.5, 127.5, 127.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=8)
# The head reads large, linear features: it takes a tenth of the learning rate where DeepLab gives it ten times.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=5e-3, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 0.1, 0.2), new=("decode_head",), bias_decay=0),
)
