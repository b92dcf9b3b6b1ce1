# Puzzle-CAM's affinity network on the built-in benchmark: a quarter of the paper's crop, half its radius.
_base_ = ["aff_lite0_photos.py"]

model = dict(radius=5)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=96, high=192),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=128, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/shapes")
