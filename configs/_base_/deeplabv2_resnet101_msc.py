# DeepLab v2 (Chen et al. 2018): MSRA ResNet-101 at output stride 8 with frozen batch normalisation, sum
# of four dilated 3x3, losses at scales 1, 0.5, 0.75 and of their maximum. 20 000 iterations of 10 images; lr 2.5e-4,
# poly 0.9 refreshed every 10 iterations; the classifier's weights x10, its biases x20 without decay. Factor 0.5 .. 1.5,
# padded at the bottom and right with the mean of the Caffe models (RGB order) and 255, crop 321.
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
    type="MultiScaleMaxSegmentor",
    scales=(0.5, 0.75),
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[104.008, 116.669, 122.675],  # BGR
        std=[1.0, 1.0, 1.0],
        rgb_to_bgr=True,
        size_divisor=1,
    ),
    backbone=dict(
        type="CaffeResNet",
        depth=101,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        init_cfg=dict(type="NamedWeights", weights="resnet101_coco"),
    ),
    decode_head=dict(
        type="SumASPPHead",
        in_channels=2048,
        rates=(6, 12, 18, 24),
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)

train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=2.5e-4, weight_decay=5e-4, momentum=0.9, power=0.9, refresh=10),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 20), new=("decode_head",), bias_decay=0),
)
