# AffinityNet's segmentation network on ResNet-38 was never published: it is retrained as SEAM's is.
_base_ = ["../seam/deeplabv1_resnet38_voc12.py"]
