# IRNet's inter-pixel network on the animals: a frozen EfficientNet-Lite0, the paper's heads, half the radius because
# the photos are half as large.
_base_ = ["irn_lite0_photos.py"]

model = dict(radius=5)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomRescale", low=0.5, high=1.5),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=240, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12_animals")
