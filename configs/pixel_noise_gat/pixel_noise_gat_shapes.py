"""Pixel-noise GAT on the built-in benchmark, 1/4 of the pictures with masks, tags for the others.

Expected: not measured yet.
Time and memory: not measured.
Data: `wsseg data make shapes --out data/shapes`, its lists `wsseg data splits data/shapes`.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/pixel_noise_gat/pixel_noise_gat_shapes.py
"""

_base_ = ["../_base_/data/shapes.py", "../_base_/crf.py"]
from common.fragments import cam_labels, cams
from methods.pixel_noise_gat.recipe import clean_model, corrected_labels, final_network, small_losses

method = "pixel_noise_gat"
seed = 0
tuned_on = ("train",)  # what it shares with irnet_shapes.py: the classifier's learning rate
pixel_labels, weak = "4_labeled_{seed}", "4_unlabeled_{seed}"  # split k for seed k

net = "../supervised/deeplabv2_lite0_shapes.py"
look = dict(scales=(1.5,))  # enlarged, as in training: the pictures have 128 pixels
iterations = 300  # of each network; starting points, as all numbers below
select = dict(quantile=0.5)
slic = dict(count=100, compactness=10, scale=1.0, longest=None)
graph = dict(taps=(2, 4), width=None, k=5, similar=0.8, min_fraction=0.5, scale=1.5, longest=None)
gat = dict(channels=8, heads=8, dropout=0.6, epochs=20, batch=16, lr=0.005, weight_decay=5e-4)
refine = dict(crf=_base_.crf_irn, confidence=0.7)

pipeline = [
    # Noisy labels: the CAM of IRNet's classifier, from its own run where there is one.
    *cams("../irnet/cam_lite0_shapes.py", "train_aug", scales=(1.5, 2.0), flip=True, threshold="best", judged="train"),
    *cam_labels("noisy", weak, background=0.55, judged=weak),
    # A network that has seen the masks alone says which of their pixels are clean.
    *clean_model(net, pixel_labels, iterations=iterations, **look),
    *small_losses("noisy", scales=(1.5,), select=select, judged=weak),
    # The graph network learns from clean superpixels and labels the others.
    *corrected_labels("noisy", weak, slic=slic, graph=graph, gat=gat, **refine, judged=weak),
    *final_network(net, pixel_labels, weak, iterations=iterations, **look),
]
