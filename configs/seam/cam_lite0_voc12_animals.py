# SEAM on the animals: backbone, crops and epochs of AffinityNet's classifier there. The second view is half as large,
# not 0.3 times: the photos are half as large, too.
_base_ = ["cam_lite0_photos.py"]

model = dict(scale=0.5)
train_pipeline = [
    dict(type="ResizeLong", low=160, high=320),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=224, pad=[127.5] * 3),
    dict(type="Pack"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
data = dict(root="data/voc12_animals")
