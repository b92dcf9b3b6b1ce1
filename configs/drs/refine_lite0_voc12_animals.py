# DRS's refinement network on the animals, photos of 240 pixels: photos and maps squashed to 224.
_base_ = ["refine_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=224, width=224),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12_animals")
