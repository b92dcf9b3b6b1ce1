# AffinityNet on the animals: EfficientNet-Lite0 at output stride 8, all pairs inside the photo. Photos are enlarged,
# because they are half as large as the paper's.
_base_ = ["../_base_/runtime.py", "../_base_/schedules/psa.py", "../_base_/data/voc12_animals.py"]
custom_imports = dict(imports=["methods.affinitynet.labels"], allow_failed_imports=False)

model = dict(
    type="AffinityNet",
    backbone=dict(
        type="EfficientNetLite",
        name="lite0",
        output_stride=8,
        out_indices=(2, 3, 4),
        frozen_stages=2,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="package://efficientnet_lite0"),
    ),
    widths=(64, 128, 256),
    groups=(8, 16, 32),
    border="complete",
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)

train_dataloader = dict(
    batch_size=8,
    dataset=dict(
        pipeline=[
            dict(type="RandomRescale", low=1.0, high=1.5),
            dict(type="RandomColorJitter"),
            dict(type="RandomCropContainer", size=256, pad=(0, 0, 0)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MergeScores", stride=8),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(max_epochs=3)
optim_wrapper = dict(optimizer=dict(lr=0.02), paramwise_cfg=dict(new=("reduce", "fuse")))
