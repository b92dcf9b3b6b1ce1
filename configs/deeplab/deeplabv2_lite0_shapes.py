# The quick DeepLab v2 on the built-in benchmark: dilations for pictures of 128 pixels.
_base_ = ["deeplabv2_lite0_photos.py"]

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(1.0, 1.5, 2.0)),
            dict(type="MeanPadCrop", size=160, pad=(127.5, 127.5, 127.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
model = dict(decode_head=dict(rates=(1, 2, 4, 6)))
train_cfg = dict(max_epochs=10)
data = dict(root="data/shapes")
