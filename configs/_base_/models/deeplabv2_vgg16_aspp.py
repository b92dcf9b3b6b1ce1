# DeepLab v2 on VGG16 (Chen et al. 2018): four branches of fc6, fc7, fc8, summed; no average pool. Trains with
# schedules/deeplabv2_vgg16_20k.py and pipelines/deeplab_caffe_321.py.
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
