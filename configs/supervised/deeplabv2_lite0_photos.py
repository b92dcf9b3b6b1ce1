# The quick DeepLab v2 on few labelled photos: batches of 8.
_base_ = ["../deeplab/deeplabv2_lite0_photos.py"]

train_dataloader = dict(batch_size=8)
optim_wrapper = dict(optimizer=dict(lr=1e-2), clip_grad=dict(max_norm=5.0))
train_cfg = dict(_delete_=True, type="SeekingTrainLoop", max_iters=400)
