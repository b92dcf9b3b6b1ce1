# DMT: factor 0.5 .. 1.5, pad the bottom and right with black (before the mean is taken off) and 255, crop 321, mirror.
train_pipeline = [
    dict(type="RandomScaleRange", low=0.5, high=1.5),
    dict(type="MeanPadCrop", size=321, pad=(0, 0, 0)),
    dict(type="RandomMirror", prob=0.5),
    dict(type="Pack"),
]
