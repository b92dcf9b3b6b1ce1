# Strong-Weak on VGG16 with ImageNet weights: a neck of three 3x3 convolutions that all images share, and for each kind
# of labels a branch of a 3x3 and a classifier. 8 images with masks and 8 with weak labels in a batch; crop 328; Adam
# 5e-6, new layers 1e-4, decay 1e-4; 20 passes over the 9118 weak images, a tenth of the rates from the 12th on, counted
# from 0. What nobody published (the page lists it) is DeepLab's: no stride in pool 4 and pool 5, conv5 dilated, widths
# of 512, factor 0.5 .. 1.5, padding with the mean and 255.
_base_ = ["../_base_/runtime.py"]

custom_imports = dict(imports=["methods.strong_weak.model"], allow_failed_imports=False)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
    backbone=dict(
        type="VGG16Dilated", avg_pool=False, init_cfg=dict(type="NamedWeights", weights="torchvision://vgg16-V1")
    ),
    decode_head=dict(type="DualBranchHead", in_channels=512, channels=512, neck=3, layers=1, align_corners=False),
    test_cfg=dict(mode="whole"),
)

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    sampler=dict(type="StrongWeakSampler", strong=8),
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleRange", low=0.5, high=1.5),
            dict(type="MeanPadCrop", size=328, pad=(123.675, 116.28, 103.53)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_iters=20 * 1140)
param_scheduler = [dict(type="MultiStepLR", milestones=[12 * 1140], gamma=0.1, by_epoch=False)]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="Adam", lr=5e-6, weight_decay=1e-4),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 20, 20), new=("decode_head",), bias_decay=1),
)
data = dict(root="data/voc12")
