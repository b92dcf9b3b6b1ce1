# IRNet's classifier on any photos: all of the backbone is trained, its norms frozen.
_base_ = ["../_base_/lite0.py"]

model = dict(type="CamClassifier", backbone=dict(frozen_stages=-1))

train_pipeline = [
    dict(type="ResizeLong", low=256, high=512),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=384, pad=[127.5] * 3),
    dict(type="Pack"),
]

train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))

train_cfg = dict(type="SeekingTrainLoop", max_epochs=8, min_iters=100)  # few photos: short epochs
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.05, weight_decay=1e-4, momentum=1e-4, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("head",), bias_decay=1),
    clip_grad=dict(max_norm=1.0),  # losses are means over classes: of two classes steps are ten times those of 20
)
data = dict(root="data/photos")
