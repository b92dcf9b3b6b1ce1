"""SEAM on 800 photos of animals of 240 pixels: EfficientNet-Lite0, tags only, for two CPU cores.

Expected, mIoU of the frequent classes: CAM 53.2, pseudo labels 55.0, DeepLab 48.7 (results/seam, seed 0).
Time and memory: 62 minutes on one CPU core, 3.9 GB (measured while another run used the other core).
Data: voc12_animals (`wsseg data prepare voc12_animals`), photos and tags of train_quick; the masks only judge.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/seam/seam_voc12_animals.py
"""

_base_ = ["../_base_/data/voc12_animals.py", "../_base_/crf.py"]
from common.fragments import retrained
from methods.seam.recipe import affinity_labels, refined_cams

method = "seam"
seed = 0
tuned_on = ("train_quick",)  # alphas and steps

images = "train_quick"  # train_aug holds all 3131
frequent = ("background", "cat", "cow", "dog", "horse", "person", "sheep")  # the others have too few images

look = dict(scales=(0.5, 1.0, 1.5), flip=True, normalisation="class_min_max", stride=1)

pipeline = [
    *refined_cams("cam_lite0_voc12_animals.py", images, **look, threshold="best", judged=images, classes=frequent),
    # The best threshold of these CAMs is 0.53, so the alphas are smaller still than AffinityNet's here.
    *affinity_labels(
        "../affinitynet/aff_lite0_voc12_animals.py",
        images,
        low_alpha=0.5,
        high_alpha=1.5,
        crf=_base_.crf_psa,
        walk=dict(alpha=1, beta=8, logt=5, radius=5, border="complete", scale=1.5),
        judged=images,
        classes=frequent,
    ),
    *retrained(
        "../deeplab/deeplabv2_lite0_voc12_animals.py",
        labels="pseudo",
        split=images,
        classes=frequent,
        scales=(0.75, 1.0, 1.25),
        flip=True,
    ),
]
