# Strong-Weak on any photos: EfficientNet-Lite0 with frozen norms, a neck of two 3x3 of 256 channels. The paper's rates
# move nothing in so few iterations: AdamW 1e-4, new layers 1e-3.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.strong_weak.model"], allow_failed_imports=False)

model = dict(
    type="EncoderDecoder",
    decode_head=dict(type="DualBranchHead", in_channels=320, channels=256, neck=2, layers=1, align_corners=False),
    test_cfg=dict(mode="whole"),
)

train_dataloader = dict(
    batch_size=16,
    sampler=dict(type="StrongWeakSampler", strong=8),
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
            dict(type="MeanPadCrop", size=321, pad=(127.5, 127.5, 127.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_iters=1200)
param_scheduler = [dict(type="MultiStepLR", milestones=[720], gamma=0.1, by_epoch=False)]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=1e-4),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("decode_head",), bias_decay=1),
)
data = dict(root="data/photos")
