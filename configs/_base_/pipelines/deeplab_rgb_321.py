# deeplab_caffe_321 for networks with torchvision's mean.
train_pipeline = [
    dict(type="RandomScaleChoice", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
    dict(type="MeanPadCrop", size=321, pad=(123.675, 116.28, 103.53)),
    dict(type="RandomMirror", prob=0.5),
    dict(type="Pack"),
]
