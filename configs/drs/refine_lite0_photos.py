# DRS's refinement network on any photos: EfficientNet-Lite0 and plain ReLUs. Photos and maps squashed to 320; the
# paper's steps at 10 of 30 epochs.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.drs.model"], allow_failed_imports=False)

model = dict(type="RefinementNetwork", width=256, ratio=1.0, backbone=dict(conv_head=True))

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=320, width=320),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=10, min_iters=80)  # few photos: short epochs
param_scheduler = [dict(type="MultiStepLR", milestones=[3, 6], gamma=0.1, by_epoch=True)]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-4, weight_decay=0.0),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 1, 1), new=("extra",), bias_decay=1),
)
data = dict(root="data/photos")
