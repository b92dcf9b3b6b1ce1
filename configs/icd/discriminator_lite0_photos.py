# ICD's network on any photos: EfficientNet-Lite0 of output stride 8, whose `conv_head` stands for VGG16's conv5_3; fc6
# and fc7 are new layers of 256 channels. The losses and their numbers are the paper's. Batches of 32: the running means
# need many images of a class.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.icd.model"], allow_failed_imports=False)

model = dict(
    type="DiscriminatorNetwork",
    backbone=dict(conv_head=True, output_stride=8, out_indices=(4,)),
    width=256,
    variance_scale=10.0,
    momentum=0.9,
    threshold=0.2,
    warmup_epochs=2.0,
)

train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleRounded", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MeanPadCrop", size=321, pad=(127.5, 127.5, 127.5)),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=8, min_iters=100)  # few photos: short epochs
custom_hooks = [dict(type="ImagesHook")]
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=0.0, by_epoch=True)]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-4, weight_decay=5e-4),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("cam_branch", "discriminator", "top_down"), bias_decay=0),
)
data = dict(root="data/photos")
