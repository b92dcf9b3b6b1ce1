# DRS's classifier on the built-in benchmark, pictures of 128 pixels: squashed to 192, crop 160.
_base_ = ["cls_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=192, width=192),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomCropContainer", size=160, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/shapes")
