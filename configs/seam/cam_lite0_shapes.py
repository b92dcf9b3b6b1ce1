# SEAM on the built-in benchmark: backbone, crops and epochs of AffinityNet's classifier there. The second view is 0.75
# times as large, not 0.3 times: 0.3 of 128 pixels would leave five cells.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.seam.model"], allow_failed_imports=False)

model = dict(
    type="SEAM",
    backbone=dict(output_stride=8, conv_head=True, out_indices=(2, 3, 4)),
    dropout=0.5,
    head_gain=0.1,  # few iterations: what the head starts with would stay visible in the maps
    scale=0.75,
)

train_pipeline = [
    dict(type="ResizeLong", low=96, high=160),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=128, pad=[127.5] * 3),
    dict(type="Pack"),
]

train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))

train_cfg = dict(type="SeekingTrainLoop", max_epochs=8)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.02, weight_decay=5e-4, momentum=5e-4, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), bias_decay=0, norm="train", new=("head", "pcm")),
)
data = dict(root="data/shapes")
