# IRNet's inter-pixel network on the animals: a frozen EfficientNet-Lite0, the paper's heads, half the radius because
# the photos are half as large.
_base_ = ["../_base_/lite0.py"]

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

train_cfg = dict(type="SeekingTrainLoop", max_epochs=4)
optim_wrapper = dict(
    type="OptimWrapper",
    # the momentum is the decay: the released class passes it in its place
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("displacement_head",), bias_decay=1),
)
data = dict(root="data/voc12_animals")
