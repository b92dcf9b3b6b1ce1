# AffinityNet's classifier on the built-in benchmark: EfficientNet-Lite0 at output stride 8, fixed up to stride 8.
_base_ = ["../_base_/runtime.py", "../_base_/schedules/psa.py", "../_base_/data/shapes.py"]

model = dict(
    type="CamClassifier",
    backbone=dict(
        type="EfficientNetLite",
        name="lite0",
        output_stride=8,
        conv_head=True,
        frozen_stages=2,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="package://efficientnet_lite0"),
    ),
    num_classes=6,
    dropout=0.5,
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=96, high=160),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=128, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(max_epochs=4)
# A fifth of VGG16's learning rate: at 0.1 this network does not learn.
optim_wrapper = dict(optimizer=dict(lr=0.02), paramwise_cfg=dict(new=("head",)))
