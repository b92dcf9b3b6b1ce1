# Classifiers of the animals, photos of 240 pixels: longer side 160 to 320, mirror, crop 224.
train_pipeline = [
    dict(type="ResizeLong", low=160, high=320),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=224, pad=[127.5] * 3),
    dict(type="Pack"),
]
