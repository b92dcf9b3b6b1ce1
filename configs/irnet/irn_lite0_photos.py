# IRNet's inter-pixel network on any photos: a frozen EfficientNet-Lite0, the paper's heads and radius.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.irnet.model"])

model = dict(
    type="InterPixelNet",
    radius=10,
)

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="RandomRescale", low=0.5, high=1.5),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=384, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=4, min_iters=50)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("displacement_head",), bias_decay=1),
)
data = dict(root="data/photos")
