"""Pixel-noise GAT (TIP 2021) with DeepLab v2 on ResNet-101: the 1464 masks of train, tags of 9118 images of train_aug.

Expected: the paper's numbers are not known, and neither are its constants: all of them are defaults.
Time and memory: not measured; the networks need a GPU.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`).
Weights: ResNet-50 and ResNet-101 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/pixel_noise_gat/pixel_noise_gat_deeplabv2_r101_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import cam_labels, cams
from methods.pixel_noise_gat.recipe import clean_model, corrected_labels, final_network, small_losses

method = "pixel_noise_gat"
seed = 0
pixel_labels, weak = "train", "train_weak"

net = "../deeplab/deeplabv2_r101_imagenet_voc12.py"
iterations = 20000  # of each network
select = dict(tau=0.7)  # just above -log 0.5
slic = dict(count=500, compactness=10, scale=1.0, longest=None)
graph = dict(taps=(4,), width=256, k=5, similar=0.8, min_fraction=0.5, scale=1.0, longest=None)
gat = dict(channels=8, heads=8, dropout=0.6, epochs=20, batch=16, lr=0.005, weight_decay=5e-4)
refine = dict(crf=_base_.crf_irn, confidence=0.7)

pipeline = [
    # Noisy labels: the CAM of IRNet's classifier, from its own run where there is one.
    *cams(
        "../irnet/cam_r50_voc12.py",
        "train_aug",
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold=0.15,
        judged="train",
    ),
    *cam_labels("noisy", weak, background=0.15, judged=weak),
    # A network that has seen the masks alone says which of their pixels are clean: small cross entropy.
    *clean_model(net, pixel_labels, iterations=iterations),
    *small_losses("noisy", scales=(1.0,), select=select, judged=weak),
    # The graph network learns from clean superpixels and labels the others; absent classes masked; CRF.
    *corrected_labels("noisy", weak, slic=slic, graph=graph, gat=gat, **refine, judged=weak),
    # Masks and corrected labels train the final network.
    *final_network(net, pixel_labels, weak, iterations=iterations),
]
