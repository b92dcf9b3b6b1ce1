# DRS's DeepLab v2 on ResNet-101: COCO weights, three scales and their maximum, and at each the second term by which the
# network learns from its own labels of the image's tags. Effective batch 10 (5 images, two accumulations), 20 000
# updates: the authors' setting of one GPU. Theirs of two (20 images, 10 000) and four GPUs (40, 5000) keep the rate and
# so are other trainings.
_base_ = ["../_base_/deeplabv2_resnet101_msc.py"]

custom_imports = dict(imports=["methods.drs.model"], allow_failed_imports=False)

model = dict(type="SelfTrainedSegmentor", choice="product")
train_dataloader = dict(dataset=dict(tags=True))
data = dict(root="data/voc12")
