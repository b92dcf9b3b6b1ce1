# AffinityNet's classifier on the built-in benchmark, at output stride 8.
_base_ = ["../_base_/lite0.py"]

model = dict(
    type="CamClassifier",
    backbone=dict(output_stride=8, conv_head=True),
    dropout=0.5,
)

train_pipeline = [
    dict(type="ResizeLong", low=96, high=160),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=128, pad=[127.5] * 3),
    dict(type="Pack"),
]

train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))

# A fifth of VGG16's learning rate: at 0.1 this network does not learn.
train_cfg = dict(type="SeekingTrainLoop", max_epochs=8)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.02, weight_decay=5e-4, momentum=5e-4, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), bias_decay=0, norm="train", new=("head",)),
)
data = dict(root="data/shapes")
