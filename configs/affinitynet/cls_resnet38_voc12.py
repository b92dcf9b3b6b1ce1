# AffinityNet's classifier on ResNet-38: 15 epochs, lr 0.01 (the released script's 0.1 is VGG16's).
_base_ = ["../_base_/runtime.py", "../_base_/schedules/psa.py", "../_base_/data/voc12.py"]
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="CamClassifier",
    backbone=dict(type="ResNet38", frozen="b2", init_cfg=dict(type="NamedWeights", weights="resnet38_imagenet")),
    dropout=0.5,
    head_gain=1.0,
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=256, high=512),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomCropContainer", size=448),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(max_epochs=15)
optim_wrapper = dict(optimizer=dict(lr=0.01), paramwise_cfg=dict(new=("head",)))
