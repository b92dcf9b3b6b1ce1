# The quick DeepLab v2 on few labelled photos: batches of 8.
_base_ = ["../deeplab/deeplabv2_lite0_voc12_animals.py"]

train_dataloader = dict(batch_size=8)
train_cfg = dict(_delete_=True, type="SeekingTrainLoop", max_iters=300)
