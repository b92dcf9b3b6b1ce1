# DRS's refinement network on the built-in benchmark, pictures of 128 pixels: photos and maps squashed to 160.
_base_ = ["refine_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=160, width=160),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/shapes")
