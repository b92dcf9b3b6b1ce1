# SEAM's retraining: DeepLab v1 on ResNet-38, as the released segmentation code ran (64.754 on val). It normalised with
# the statistics of 5 images (10 on two GPUs); on one GPU they are those of all 10. LargeFOV head with batch
# normalisation, cross entropy at image size, corners aligned. The released script never sets training mode, so the code
# that freezes the backbone's norms and stem did not run: the norms use the batch's statistics, every convolution is
# trained. The intended way: frozen="stem", statistics="stored". lr 1e-3 (1 - t / 20 001)^0.9, real momentum 0.9; biases
# x2, the head's convolutions x10 and x20; biases without decay, batch normalisation in no group. AffinityNet's
# ResNet-38 row trains it, too.
_base_ = ["../_base_/runtime.py"]

custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        size_divisor=1,
    ),
    backbone=dict(
        type="ResNet38",
        frozen="none",
        statistics="batch",
        bn_momentum=3e-4,
        init_cfg=dict(type="NamedWeights", weights="resnet38_imagenet"),
    ),
    decode_head=dict(
        type="LargeFOVHead",
        in_channels=4096,
        dilation=12,
        hidden=512,
        norm_cfg=dict(type="BN", momentum=3e-4, requires_grad=False),
        dropouts=(0.0, 0.5),
        labels="image",
        align_corners=True,
        new_std=None,
        init_cfg=dict(type="Kaiming", layer="Conv2d", mode="fan_out", distribution="normal"),
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)

train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=1e-3, weight_decay=5e-4, momentum=0.9, power=0.9, max_step=20001),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 2, 10, 20), new=("decode_head",), bias_decay=0, norm="skip"),
)
data = dict(root="data/voc12")

train_dataloader = dict(
    batch_size=10,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="RandomHSVShift", hue=10, saturation=10, value=10),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomScaleCubic", low=0.5, high=1.5),
            dict(type="RandomCropContainer", size=448),
            dict(type="Pack"),
        ],
    ),
)
