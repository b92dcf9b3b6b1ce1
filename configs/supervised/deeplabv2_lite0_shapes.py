# The quick DeepLab v2 on few labelled pictures: epochs would be too short.
_base_ = ["../deeplab/deeplabv2_lite0_shapes.py"]

train_cfg = dict(_delete_=True, type="SeekingTrainLoop", max_iters=100)
