# DRS's classifier: VGG16 of output stride 8 with ImageNet weights, learnable suppression in the place of all 16 ReLUs.
# Photos squashed to 384 x 384, crop 320; batch 10 (5 on each of two GPUs); 15 epochs, a tenth of the rate from the 5th
# and the 10th on, counted from 1. Weights x1, biases x2, new weights and all suppressions x10, new biases x20, with
# decay on all. Fixed suppression: model.ratio=0.55, model.backbone.ratio=0.55, and only "extra" in `new`.
_base_ = ["../_base_/runtime.py"]

custom_imports = dict(imports=["methods.drs.model"], allow_failed_imports=False)

model = dict(
    type="SuppressedClassifier",
    ratio=None,
    backbone=dict(
        type="SuppressedVGG16", ratio=None, init_cfg=dict(type="NamedWeights", weights="torchvision://vgg16-V1")
    ),
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)

train_dataloader = dict(
    batch_size=10,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=384, width=384),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomCropContainer", size=320),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=15)
param_scheduler = [dict(type="MultiStepLR", milestones=[4, 9], gamma=0.1, by_epoch=True)]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(
        mults=(1, 2, 10, 20),
        new=(
            "extra",
            *(f"backbone.act{s}_{i}" for s, n in ((1, 2), (2, 2), (3, 3), (4, 3), (5, 3)) for i in range(1, n + 1)),
        ),
        bias_decay=1,
    ),
)
data = dict(root="data/voc12")
