# Puzzle-CAM's DeepLab v3+ on ResNeSt-101.
_base_ = ["deeplabv3plus_resnet50_voc12.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="DilatedResNeSt",
        depth=101,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="resnest101_imagenet"),
    )
)
