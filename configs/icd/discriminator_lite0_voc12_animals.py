# ICD's network on the animals, photos of 240 pixels: crop 225.
_base_ = ["discriminator_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleRounded", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MeanPadCrop", size=225, pad=(127.5, 127.5, 127.5)),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12_animals")
