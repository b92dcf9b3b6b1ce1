"""Strong-Weak (ECCV 2020) on VGG16 with 1/8 of the masks (1322), split k for seed k.

Expected: the paper's numbers for such lists are not known.
Time and memory: not measured; the networks need a GPU.
Data: voc12 and its lists (`wsseg data prepare voc12`, `wsseg data splits data/voc12`).
Weights: VGG16 and ResNet-50 of ImageNet, which torchvision fetches at the first use.
Run: wsseg run configs/strong_weak/strong_weak_vgg16_voc12_8.py
"""

_base_ = ["strong_weak_vgg16_voc12.py"]
from common.fragments import until
from methods.strong_weak.recipe import dual

pixel_labels, weak = "8_labeled_{seed}", "8_unlabeled_{seed}"
epoch = 1158  # batches of 8 of the 9260 weak images

pipeline = [
    *until(_base_.pipeline, "eval_pseudo"),
    *dual("dual_vgg16_voc12.py", pixel_labels, weak, labels="pseudo", iterations=20 * epoch, step=12 * epoch),
]
