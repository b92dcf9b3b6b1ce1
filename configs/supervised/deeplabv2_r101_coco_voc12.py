# The supervised baseline of DMT's table: its DeepLab v2 from COCO (AdvSemiSeg's weights, head included), batches of 8.
_base_ = ["deeplabv2_r101_imagenet_voc12.py"]

model = dict(
    data_preprocessor=dict(mean=[104.008, 116.669, 122.675], std=[1.0, 1.0, 1.0], rgb_to_bgr=True),  # BGR
    backbone=dict(init_cfg=dict(type="NamedWeights", weights="resnet101_coco_advsemiseg")),
    decode_head=dict(
        init_cfg=dict(type="NamedWeights", weights="resnet101_coco_advsemiseg", prefix="decode_head."),
    ),
)
