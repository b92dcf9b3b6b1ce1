# DeepLab v2 (Chen et al. 2018): MSRA ResNet-101 at output stride 8 with frozen batch normalisation, sum of four dilated
# 3x3, losses at scales 1, 0.5, 0.75 and of their maximum. Trains with schedules/deeplabv2_20k.py and
# pipelines/deeplab_caffe_321.py.
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
