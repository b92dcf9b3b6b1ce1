# Classifiers of the built-in pictures of 128 pixels: longer side 96 to 160, mirror, crop 128.
train_pipeline = [
    dict(type="ResizeLong", low=96, high=160),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=128, pad=[127.5] * 3),
    dict(type="Pack"),
]
