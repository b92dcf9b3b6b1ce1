# Strong-Weak on the animals, photos of 240 pixels: crop 224.
_base_ = ["dual_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(0.75, 1.0, 1.25, 1.5)),
            dict(type="MeanPadCrop", size=224, pad=(127.5, 127.5, 127.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12_animals")
