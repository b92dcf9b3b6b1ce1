# Puzzle-CAM's classifier on the animals: crops of 224 pixels have tiles of 7 x 7 cells.
_base_ = ["cam_lite0_photos.py"]

train_pipeline = [
    dict(type="ResizeLong", low=160, high=320),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=224, pad=[127.5] * 3),
    dict(type="Pack"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
data = dict(root="data/voc12_animals")
