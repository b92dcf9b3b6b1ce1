# IRNet's inter-pixel network on the animals: a frozen EfficientNet-Lite0, the paper's heads, half the radius because
# the photos are half as large.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/efficientnet_lite0.py",
    "../_base_/schedules/irnet.py",
    "../_base_/data/voc12_animals.py",
]
custom_imports = dict(imports=["methods.irnet.model"])

model = dict(
    type="InterPixelNet",
    radius=5,
)

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="RandomRescale", low=0.5, high=1.5),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=240, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(max_epochs=4)
optim_wrapper = dict(paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("displacement_head",), bias_decay=1))
