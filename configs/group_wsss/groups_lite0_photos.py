# Group-WSSS's network on any photos: EfficientNet-Lite0 with its `conv_head`, the paper's graph, loss and partners.
# Output stride 16: at stride 8 a step takes several times as long on a CPU. Photos squashed to 320: maps of 20 x 20.
# Four groups a batch. The steps stand at three and five of six epochs, later than the paper's third and two thirds: the
# classifier has learned little by then. The three convolutions learn at the backbone's rate: ten times as much, as the
# paper does with SGD, makes AdamW's first steps too large for 1280 input channels.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.group_wsss.model"], allow_failed_imports=False)

model = dict(
    type="GroupNetwork",
    width=256,
    start_std=0.03,  # sqrt(2 / (9 width)): with the paper's 0.01 and half its width the maps start at almost nothing
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
    backbone=dict(conv_head=True),
)

train_dataloader = dict(
    batch_size=4,  # groups
    collate_fn=dict(type="flat_collate"),
    dataset=dict(
        type="GroupDataset",
        group_size=3,
        partners="tags",
        pipeline=[
            dict(type="Squash", height=320, width=320),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=6, min_iters=100)  # few photos: short epochs
param_scheduler = [dict(type="MultiStepLR", milestones=[3, 5], gamma=0.1, by_epoch=True)]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=3e-4, weight_decay=5e-4),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("graph",), bias_decay=1),
)
data = dict(root="data/photos")
