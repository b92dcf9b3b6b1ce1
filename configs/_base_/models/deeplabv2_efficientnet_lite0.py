# The quick segmentation network: DeepLab v2's sum of dilated 3x3 with half the dilations on EfficientNet-Lite0 of
# output stride 16 (the same field of view), one scale, logits at image size.
_base_ = ["efficientnet_lite0.py"]
model = dict(
    type="EncoderDecoder",
    decode_head=dict(
        type="SumASPPHead",
        in_channels=320,
        rates=(3, 6, 9, 12),
        new_std=0.001,  # the features are a linear bottleneck, an order larger than behind a ReLU
        labels="image",
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    ),
    test_cfg=dict(mode="whole"),
)
