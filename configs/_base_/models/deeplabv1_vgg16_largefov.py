# DeepLab v1, LargeFOV on VGG16 (Chen et al. 2015). Output stride 8: 321 -> 41. Labels shrink to the logits as in PIL,
# and logits grow with aligned corners: the pair of the public PyTorch code. Schedule: deeplabv1_largefov_20k.py,
# pipeline: deeplab_caffe_321.py.
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
