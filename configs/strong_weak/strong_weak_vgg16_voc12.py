"""Strong-Weak (ECCV 2020) on VGG16: the 1464 masks of train, weak labels for the other 9118 images of train_aug.

Expected, mIoU on val: 72.2 (from memory, not confirmed), with the weak labels of DSRG; here IRNet's.
Time and memory: not measured; the networks need a GPU.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`).
Weights: VGG16 and ResNet-50 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/strong_weak/strong_weak_vgg16_voc12.py
"""

_base_ = ["../_base_/data/voc12.py", "../_base_/crf.py"]
from common.fragments import cams
from methods.irnet.recipe import boundaries, pseudo_labels
from methods.strong_weak.recipe import dual

method = "strong_weak"
seed = 0
uses = ("tags (IRNet's labels)",)
pixel_labels, weak = "train", "train_weak"

walk = dict(beta=10, exp_times=8, radius=5, canvas=512, background=0.25)  # 2^8 = 256 steps
epoch = 1140  # batches of 8 of the 9118 weak images
schedule = dict(iterations=20 * epoch, step=12 * epoch)

pipeline = [
    # Weak labels: IRNet's, from its own run where there is one. The paper has DSRG's.
    *cams(
        "../irnet/cam_r50_voc12.py",
        "train_aug",
        scales=(1.0, 0.5, 1.5, 2.0),
        flip=True,
        threshold=0.15,
        judged="train",
    ),
    *boundaries("../irnet/irn_r50_voc12.py", "train_aug", fg=0.30, bg=0.05, crf=_base_.crf_irn),
    *pseudo_labels(**walk, judged="train"),
    # One trunk, a branch for the masks and one for the weak labels; the first is tested, on whole photos.
    *dual("dual_vgg16_voc12.py", pixel_labels, weak, labels="pseudo", **schedule),
]
