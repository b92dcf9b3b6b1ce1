# DRS's DeepLab v3+ on ResNet-101 from ImageNet: batch 32, 20 000 iterations. Factor 0.5 .. 2, padded on all sides with
# black and background (label 0), crop 513: the padding is trained as background, label=255 leaves it out. The authors
# train in mixed precision (`--amp` on a GPU).
_base_ = ["../_base_/deeplabv3plus_resnet50.py"]

custom_imports = dict(imports=["common.models.register", "methods.drs.transforms"], allow_failed_imports=False)

model = dict(backbone=dict(depth=101, init_cfg=dict(weights="torchvision://resnet101-V1")))
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleRange", low=0.5, high=2.0),
            dict(type="PadAround", size=513, label=0),
            dict(type="RandomCropContainer", size=513),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
data = dict(root="data/voc12")
