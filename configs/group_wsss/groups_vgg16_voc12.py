# Group-WSSS's network: VGG16 of output stride 8 with ImageNet weights, three 3x3 and a 1x1, and the graph over groups
# of three photos with the same tags; constants of the released code since April 2021. Photos squashed to 256 x 256,
# colour jitter, no mirror, no crop; one group an iteration; 15 epochs, a tenth of the rate from epochs 5 and 10 on,
# counted from 0. Weights x1, biases x2, new weights x10, new biases x20, with decay on all.
_base_ = ["../_base_/runtime.py"]

custom_imports = dict(imports=["methods.group_wsss.model"], allow_failed_imports=False)

model = dict(
    type="GroupNetwork",
    width=512,
    group_size=3,
    rounds=3,
    attention_width=10,
    messages="concat",
    drop_rate=0.8,
    drop_threshold=0.7,
    initial_weight=0.4,
    divisor=6.0,
    stored="both",
    least_score=0.1,
    backbone=dict(
        type="VGG16Dilated",
        pool_kernel=(2, 2, 2, 3, None),
        pool_strides=(2, 2, 2, 1, None),
        dilation5=2,
        avg_pool=False,
        init_cfg=dict(type="NamedWeights", weights="torchvision://vgg16-V1"),
    ),
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)

train_dataloader = dict(
    batch_size=1,  # groups
    num_workers=4,
    collate_fn=dict(type="flat_collate"),
    dataset=dict(
        type="GroupDataset",
        group_size=3,
        partners="tags",
        pipeline=[
            dict(type="Squash", height=256, width=256),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=15)
param_scheduler = [dict(type="MultiStepLR", milestones=[5, 10], gamma=0.1, by_epoch=True)]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 2, 10, 20), new=("extra", "graph"), bias_decay=1),
)
data = dict(root="data/voc12")
