# DeepLab v2 on VGG16 (Chen et al. 2018): four branches of fc6, fc7, fc8, summed; no average pool. 20
# 000 iterations of 10 images, lr 1e-3 for weights, x2 for biases, x10 and x20 in the four fc8; biases without decay.
# Factor 0.5 .. 1.5, padded at the bottom and right with the mean of the Caffe models (RGB order) and 255, crop 321.
_base_ = ["runtime.py"]

train_dataloader = dict(
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
            dict(type="MeanPadCrop", size=321, pad=(122.675, 116.669, 104.008)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
    batch_size=10,
)
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[104.008, 116.669, 122.675],  # BGR
        std=[1.0, 1.0, 1.0],
        rgb_to_bgr=True,
        size_divisor=1,
    ),
    backbone=dict(
        type="VGG16Dilated",
        avg_pool=False,
        init_cfg=dict(type="NamedWeights", weights="vgg16_aspp"),
    ),
    decode_head=dict(
        type="SumASPPHead",
        in_channels=512,
        rates=(6, 12, 18, 24),
        hidden=1024,
        align_corners=False,
        init_cfg=dict(type="NamedWeights", weights="vgg16_aspp", prefix="decode_head."),
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)

train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=1e-3, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(
        mults=(1, 2, 10, 20), new=tuple(f"decode_head.branches.{i}.fc8" for i in range(4)), bias_decay=0
    ),
)
