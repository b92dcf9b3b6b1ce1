# DeepLab v1 and v2 at native scale: factor 0.5 .. 1.5, pad the bottom and right with the mean of the Caffe models (RGB
# order; zero after normalisation) and 255, crop 321, mirror. A network config takes it as {{_base_.train_pipeline}}.
train_pipeline = [
    dict(type="RandomScaleChoice", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
    dict(type="MeanPadCrop", size=321, pad=(122.675, 116.669, 104.008)),
    dict(type="RandomMirror", prob=0.5),
    dict(type="Pack"),
]
