# Puzzle-CAM's affinity network on any photos: a frozen EfficientNet-Lite0, the paper's head and radius.
_base_ = ["../_base_/lite0.py"]

model = dict(type="BoundaryNet", radius=10, edge=dict(width=32, groups=4))

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=256, high=512),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=384, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=3, min_iters=50)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, nesterov=True, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 1, 1), bias_decay=1),
)
data = dict(root="data/photos")
