# Puzzle-CAM's affinity network on the animals: half the radius, because the photos are half as large.
_base_ = ["aff_lite0_photos.py"]

model = dict(radius=5)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=160, high=320),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=240, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12_animals")
