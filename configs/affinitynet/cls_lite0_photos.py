# AffinityNet's classifier on any photos.
_base_ = ["../_base_/lite0.py"]

model = dict(type="CamClassifier", dropout=0.5)

train_pipeline = [
    dict(type="ResizeLong", low=256, high=512),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=384, pad=[127.5] * 3),
    dict(type="Pack"),
]

train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))

train_cfg = dict(type="SeekingTrainLoop", max_epochs=6, min_iters=100)  # few photos: short epochs
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.05, weight_decay=5e-4, momentum=5e-4, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), bias_decay=0, norm="train", new=("head",)),
    clip_grad=dict(max_norm=1.0),  # losses are means over classes: of two classes steps are ten times those of 20
)
data = dict(root="data/photos")
