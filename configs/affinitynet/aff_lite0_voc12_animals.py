# AffinityNet on the animals, as on the built-in benchmark. Photos are enlarged, because they are half as large as the
# paper's.
_base_ = ["aff_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomRescale", low=1.0, high=1.5),
            dict(type="RandomColorJitter"),
            dict(type="RandomCropContainer", size=256, pad=(0, 0, 0)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MergeScores", stride=8),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12_animals")
