# AffinityNet on the built-in benchmark: output stride 8, all pairs inside the picture. Pictures are enlarged, so that a
# creature covers enough cells.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/efficientnet_lite0.py",
    "../_base_/schedules/psa.py",
    "../_base_/data/shapes.py",
]
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
            dict(type="RandomRescale", low=1.5, high=2.0),
            dict(type="RandomColorJitter"),
            dict(type="RandomCropContainer", size=192, pad=(0, 0, 0)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MergeScores", stride=8),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(max_epochs=2)
optim_wrapper = dict(optimizer=dict(lr=0.02), paramwise_cfg=dict(new=("reduce", "fuse")))
