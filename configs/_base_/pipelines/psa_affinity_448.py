# AffinityNet: colour jitter, crop 448 padded with black, mirror, score volumes merged to labels at stride 8.
custom_imports = dict(imports=["methods.affinitynet.labels"], allow_failed_imports=False)
train_pipeline = [
    dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(type="RandomCropContainer", size=448, pad=(0, 0, 0)),
    dict(type="RandomMirror", prob=0.5),
    dict(type="MergeScores", stride=8),
    dict(type="Pack"),
]
