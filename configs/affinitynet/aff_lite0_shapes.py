# AffinityNet on the built-in benchmark: output stride 8, all pairs inside the picture. Pictures are enlarged, so that a
# creature covers enough cells.
_base_ = ["aff_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomRescale", low=1.5, high=2.0),
            dict(type="RandomColorJitter"),
            dict(type="RandomCropContainer", size=192, pad=(0, 0, 0)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MergeScores", stride=8),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/shapes")
