# DRS's classifier on the animals, photos of 240 pixels: squashed to 272, crop 224.
_base_ = ["cls_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=272, width=272),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomCropContainer", size=224, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12_animals")
