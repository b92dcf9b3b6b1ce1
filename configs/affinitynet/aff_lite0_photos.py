# AffinityNet on any photos, as on the built-in benchmark, but at their own size.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.affinitynet.labels"], allow_failed_imports=False)

model = dict(
    type="AffinityNet",
    backbone=dict(output_stride=8, out_indices=(2, 3, 4)),
    widths=(64, 128, 256),
    groups=(8, 16, 32),
    border="complete",
)

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        pipeline=[
            dict(type="RandomColorJitter"),
            dict(type="RandomCropContainer", size=384, pad=(0, 0, 0)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MergeScores", stride=8),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=2, min_iters=50)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.02, weight_decay=5e-4, momentum=5e-4, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), bias_decay=0, norm="train", new=("reduce", "fuse")),
)
data = dict(root="data/photos")
