# ICD's network on the built-in benchmark: pictures of 128 pixels, doubled, crop 161.
_base_ = ["discriminator_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleRounded", scales=(1.0, 1.5, 2.0, 2.5, 3.0)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MeanPadCrop", size=161, pad=(127.5, 127.5, 127.5)),
            dict(type="Pack"),
        ],
    ),
)
train_cfg = dict(max_epochs=20)
data = dict(root="data/shapes")
