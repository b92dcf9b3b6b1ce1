# The network on the built-in benchmark: 10 epochs, every class in turn, crops of 96 pixels.
_base_ = ["../_base_/runtime.py"]
custom_imports = dict(
    imports=["methods.example.model", "methods.example.data", "methods.example.sampler"],
    allow_failed_imports=False,
)

model = dict(
    type="Example",
    backbone=dict(type="ExampleBackbone", width=16),
    region_weight=1.0,
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(_delete_=True, type="ExampleSampler"),
    dataset=dict(
        type="ExampleDataset",
        pipeline=[
            dict(type="RandomRescale", low=0.75, high=1.25),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=96, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=10)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=0.003))
data = dict(root="data/shapes")
