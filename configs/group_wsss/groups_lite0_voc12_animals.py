# Group-WSSS's network on the animals, photos of 240 pixels: squashed to 224, maps of 14 x 14.
_base_ = ["groups_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=224, width=224),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12_animals")
