# AffinityNet's DeepLab: LargeFOV on VGG16 with its authors' own settings: crop 321 without scaling, labels at 41 x 41.
# The poly schedule of their later release; v1's steps (6000 iterations) are 2 to 3 points behind with masks.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/deeplabv1_vgg16_largefov.py",
    "../_base_/schedules/deeplabv1_largefov_20k.py",
    "../_base_/data/voc12.py",
]

train_dataloader = dict(
    batch_size=10,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="MeanPadCrop", size=321, pad=(122.675, 116.669, 104.008)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
