# IRNet's classifier on the built-in benchmark.
_base_ = ["../_base_/lite0.py"]

model = dict(type="CamClassifier", backbone=dict(conv_head=True))

train_pipeline = [
    dict(type="ResizeLong", low=96, high=160),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=128, pad=[127.5] * 3),
    dict(type="Pack"),
]

train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))

# A fifth of IRNet's learning rate: at 0.1 this network does not learn.
train_cfg = dict(type="SeekingTrainLoop", max_epochs=4)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.02, weight_decay=1e-4, momentum=1e-4, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("head",), bias_decay=1),
)
data = dict(root="data/shapes")
