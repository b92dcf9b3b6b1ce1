"""Any photos: the quick DeepLab v2 on the masks of the list train.

Expected: not measured; the same stages on 800 photos of animals: supervised_voc12_animals_quick_20.py.
Time and memory: not measured.
Data: your own folder (docs/data.md) of photos of about 300 to 640 pixels with masks, and the lists train and val.
Weights: EfficientNet-Lite0 of ImageNet, from its package.
Run: wsseg run configs/supervised/supervised_photos.py --data-root DIR
"""

_base_ = ["../_base_/data/photos.py"]
from common.fragments import supervised

method = "supervised"
seed = 0
pixel_labels, images = "train", "train"

pipeline = supervised("deeplabv2_lite0_photos.py", pixel_labels, iterations=600)
