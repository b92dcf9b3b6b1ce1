# AffinityNet's DeepLab: LargeFOV on VGG16 (Chen et al. 2015) with its authors' own settings: crop 321 without scaling.
# Output stride 8: 321 -> 41. Labels shrink to the logits as in PIL, logits grow with aligned corners: the pair of the
# public PyTorch code. The poly schedule is of the authors' later release; with masks v1's steps (6000 iterations) are 2
# to 3 points behind. lr 1e-3 for weights, x2 for biases, x10 and x20 in fc8; biases without decay. The public PyTorch
# code states these rates for fc8, but wrapped for several GPUs trains it at x1 and x2: mults=(1, 2, 1, 2) does
# the same.
_base_ = ["../_base_/runtime.py"]

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
        pool_strides=(2, 2, 2, 1, 1),
        dilation5=2,
        avg_pool=True,
        init_cfg=dict(type="NamedWeights", weights="vgg16_20M"),
    ),
    decode_head=dict(
        type="LargeFOVHead",
        in_channels=512,
        dilation=12,
        dropouts=(0.5, 0.5),
        align_corners=True,
        init_cfg=dict(type="NamedWeights", weights="vgg16_20M", prefix="decode_head."),
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)

train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=1e-3, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 2, 10, 20), new=("decode_head.branches.0.fc8",), bias_decay=0),
)
data = dict(root="data/voc12")

train_dataloader = dict(
    batch_size=10,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="MeanPadCrop", size=321, pad=(122.675, 116.669, 104.008)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
