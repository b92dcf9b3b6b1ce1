"""Pixel-noise GAT on any photos: EfficientNet-Lite0, masks of the list train, tags of all.

Expected: not measured; the same stages on 800 photos of animals: pixel_noise_gat_voc12_animals.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with the lists train_aug, train (with masks)
and val, and tags of train_aug; `wsseg data splits DIR` writes train_weak, what train_aug has besides train.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/pixel_noise_gat/pixel_noise_gat_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py", "../_base_/crf.py"]
from common.fragments import cam_labels, cams
from methods.pixel_noise_gat.recipe import clean_model, corrected_labels, final_network, small_losses

method = "pixel_noise_gat"
seed = 0
pixel_labels, weak = "train", "train_weak"

net = "../supervised/deeplabv2_lite0_photos.py"
look = dict(scales=(1.0,))
iterations = 600
select = dict(quantile=0.5)
slic = dict(count=500, compactness=10, scale=1.0, longest=1000)
graph = dict(taps=(2, 4), width=None, k=5, similar=0.8, min_fraction=0.5, scale=1.5, longest=1000)
gat = dict(channels=8, heads=8, dropout=0.6, epochs=20, batch=16, lr=0.005, weight_decay=5e-4)
refine = dict(crf=_base_.crf_irn, confidence=0.7)

pipeline = [
    *cams(
        "../irnet/cam_lite0_photos.py",
        "train_aug",
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold="best",
        judged="train",
    ),
    *cam_labels("noisy", weak, background=0.45, judged=weak),
    *clean_model(net, pixel_labels, iterations=iterations, **look),
    *small_losses("noisy", scales=(1.0,), select=select, judged=weak),
    *corrected_labels("noisy", weak, slic=slic, graph=graph, gat=gat, **refine, judged=weak),
    *final_network(net, pixel_labels, weak, iterations=iterations, **look),
]
