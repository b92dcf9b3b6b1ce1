# The quick DeepLab v2 on the animals, photos of 240 pixels.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/deeplabv2_efficientnet_lite0.py",
    "../_base_/schedules/deeplabv2_lite0.py",
    "../_base_/data/voc12_animals.py",
]

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(0.75, 1.0, 1.25, 1.5)),
            dict(type="MeanPadCrop", size=224, pad=(127.5, 127.5, 127.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(max_epochs=8)
