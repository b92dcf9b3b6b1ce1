# DRS's classifier on any photos: EfficientNet-Lite0 with its `conv_head`, output stride 16, learnable suppression in
# the three extra convolutions alone. VGG16 has 16 suppressions; behind every trained activation of this network they
# spoil the classifier. Photos squashed to 384, crop 320. New layers learn at the backbone's rate: ten times as much, as
# the paper does with SGD, makes AdamW's first steps too large for 1280 input channels.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.drs.model"], allow_failed_imports=False)

model = dict(type="SuppressedClassifier", width=256, ratio=None, tap=False, backbone=dict(conv_head=True))

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=384, width=384),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomCropContainer", size=320, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=8, min_iters=80)  # few photos: short epochs
param_scheduler = [dict(type="MultiStepLR", milestones=[4, 6], gamma=0.1, by_epoch=True)]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-4, weight_decay=5e-4),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 1, 1), new=("extra",), bias_decay=1),
)
data = dict(root="data/photos")
