# Puzzle-CAM's DeepLab v3+ on ResNeSt-269.
_base_ = ["deeplabv3plus_resnet50_voc12.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="DilatedResNeSt",
        depth=269,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="resnest269_imagenet"),
    )
)
