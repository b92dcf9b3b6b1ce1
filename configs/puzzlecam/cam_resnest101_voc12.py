# Puzzle-CAM's classifier on ResNeSt-101, as the authors' README trains it.
_base_ = ["cam_resnet50_voc12.py"]

model = dict(
    backbone=dict(
        _delete_=True,
        type="DilatedResNeSt",
        depth=101,
        init_cfg=dict(type="NamedWeights", weights="resnest101_imagenet"),
    )
)
