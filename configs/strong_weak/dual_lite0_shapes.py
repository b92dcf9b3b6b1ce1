# Strong-Weak on the built-in benchmark, pictures of 128 pixels: crop 160, 4 pictures of each kind in a batch.
_base_ = ["dual_lite0_photos.py"]

train_dataloader = dict(
    batch_size=8,
    sampler=dict(strong=4),
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(1.0, 1.5, 2.0)),
            dict(type="MeanPadCrop", size=160, pad=(127.5, 127.5, 127.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/shapes")
