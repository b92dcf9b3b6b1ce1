"""Pixel-noise GAT on 800 photos of animals of 240 pixels, 200 with masks, tags for the others.

Expected: not measured yet.
Time and memory: not measured.
Data: voc12_animals (`wsseg data prepare voc12_animals`), its lists
`wsseg data splits data/voc12_animals --of train_quick`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/pixel_noise_gat/pixel_noise_gat_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
from common.fragments import cam_labels, cams
from methods.pixel_noise_gat.recipe import clean_model, corrected_labels, final_network, small_losses

method = "pixel_noise_gat"
seed = 0
images = "train_quick"  # train_aug holds all 3131
pixel_labels, weak = "train_quick_4_labeled_{seed}", "train_quick_4_unlabeled_{seed}"
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

net = "../supervised/deeplabv2_lite0_voc12_animals.py"
look = dict(scales=(1.0,))
iterations = 400  # of each network; starting points, as all numbers below
select = dict(quantile=0.5)  # of each class: the clean model hardly knows some of them
slic = dict(count=250, compactness=10, scale=1.0, longest=None)
graph = dict(taps=(2, 4), width=None, k=5, similar=0.8, min_fraction=0.5, scale=1.5, longest=None)
gat = dict(channels=8, heads=8, dropout=0.6, epochs=20, batch=16, lr=0.005, weight_decay=5e-4)
refine = dict(crf=_base_.crf_irn, confidence=0.7)

pipeline = [
    *cams(
        "../irnet/cam_lite0_voc12_animals.py",
        images,
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold="best",
        judged=images,
        classes=frequent,
    ),
    *cam_labels("noisy", weak, background=0.45, judged=weak, classes=frequent),
    *clean_model(net, pixel_labels, iterations=iterations, classes=frequent, **look),
    *small_losses("noisy", scales=(1.0,), select=select, judged=weak, classes=frequent),
    *corrected_labels("noisy", weak, slic=slic, graph=graph, gat=gat, **refine, judged=weak, classes=frequent),
    *final_network(net, pixel_labels, weak, iterations=iterations, classes=frequent, **look),
]
