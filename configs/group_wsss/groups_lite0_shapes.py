# Group-WSSS's network on the built-in benchmark, pictures of 128 pixels: squashed to 192, maps of 12 x 12.
_base_ = ["groups_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=192, width=192),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/shapes")
