# WSGCN's DeepLab v2 on torchvision's ResNet-101, by its own schedule (johnnylu305/deeplab-imagenet-pytorch): lr 1e-3,
# no larger rate for the head, its biases x2 without decay; poly 0.9 over 90 000 iterations, refreshed every 10, of
# which the published network has done 35 750. 26 images, crop 381. The first blocks of the last two stages are not
# dilated. Batch normalisation uses the statistics of the batch; its scale and shift, and the stem, are not trained.
_base_ = ["../_base_/deeplabv2_resnet101_msc.py"]

model = dict(
    data_preprocessor=dict(
        _delete_=True,
        type="SegDataPreProcessor",
        mean=[116.521, 111.3575, 102.9262],
        std=[70.058, 69.2683, 72.5934],
        size_divisor=1,
    ),
    backbone=dict(
        _delete_=True,
        type="DilatedResNet",
        depth=101,
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        contract_dilation=True,
        multi_grid=(1, 4, 4),
        frozen_stages=0,
        norm_cfg=dict(type="BN", requires_grad=False),
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet101-V1"),
    ),
)
train_dataloader = dict(
    batch_size=26,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
            dict(type="MeanPadCrop", size=381, pad=(116.521, 111.3575, 102.9262)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)
train_cfg = dict(max_iters=35750)
optim_wrapper = dict(
    optimizer=dict(lr=1e-3, max_step=90000),
    paramwise_cfg=dict(mults=(1, 1, 1, 2)),
)
data = dict(root="data/voc12")
