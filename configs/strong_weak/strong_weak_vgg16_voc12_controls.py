"""Strong-Weak's baselines (ECCV 2020) on VGG16: one branch, the same schedule.

Expected, mIoU on val: the 1464 masks alone 68.9, masks and weak labels in one list 62.8 (a student's report quotes the
paper), weak labels alone slightly above that (a summary), all with the weak labels of DSRG; here IRNet's.
Time and memory: not measured; the networks need a GPU.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`).
Weights: VGG16 and ResNet-50 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/strong_weak/strong_weak_vgg16_voc12_controls.py
"""

_base_ = ["strong_weak_vgg16_voc12.py"]
from common.fragments import until
from methods.strong_weak.recipe import baselines

pipeline = [
    *until(_base_.pipeline, "eval_pseudo"),
    *baselines(
        ("strong", "weak", "mixed", "repeated", "pooled", "balanced"),
        "dual_vgg16_voc12.py",
        _base_.pixel_labels,
        _base_.weak,
        every="train_aug",
        labels="pseudo",
        repeats=6,  # 8784 against 9118
        **_base_.schedule,
    ),
]
