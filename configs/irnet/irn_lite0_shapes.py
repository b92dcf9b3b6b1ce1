# IRNet's inter-pixel network on the built-in benchmark: a frozen EfficientNet-Lite0, half the displacement channels.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.irnet.model"], allow_failed_imports=False)

model = dict(
    type="InterPixelNet",
    radius=5,
    edge=dict(width=32, groups=4),
    displacement=dict(widths=(32, 64, 128, 128, 128), groups=(4, 8, 8, 8, 8)),
)

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="RandomRescale", low=0.75, high=1.5),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=128, pad=[127.5, 127.5, 127.5]),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=3)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("displacement_head",), bias_decay=1),
)
data = dict(root="data/shapes")
