# ICD's network as in discriminator_vgg16_voc12.py, but from torchvision's VGG16: RGB / 255 with ImageNet's mean and
# deviation. fc6 and fc7 are every third tap and every fourth channel of its classifier.
_base_ = ["discriminator_vgg16_voc12.py"]

model = dict(
    backbone=dict(init_cfg=dict(weights="torchvision://vgg16-V1")),
    data_preprocessor=dict(
        _delete_=True,
        type="SegDataPreProcessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        size_divisor=1,
    ),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleRounded", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MeanPadCrop", size=321, pad=(123.675, 116.28, 103.53)),
            dict(type="Pack"),
        ],
    ),
)
