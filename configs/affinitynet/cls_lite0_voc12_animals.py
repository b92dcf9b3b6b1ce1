# AffinityNet's classifier on the animals: EfficientNet-Lite0 at output stride 16, fixed up to stride 8, norms frozen.
_base_ = ["../_base_/runtime.py", "../_base_/schedules/psa.py", "../_base_/data/voc12_animals.py"]
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="CamClassifier",
    backbone=dict(
        type="EfficientNetLite",
        name="lite0",
        output_stride=16,
        frozen_stages=2,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="package://efficientnet_lite0"),
    ),
    num_classes=20,
    dropout=0.5,
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=160, high=320),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomColorJitter"),
            dict(type="RandomCropContainer", size=224, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(max_epochs=8)
optim_wrapper = dict(optimizer=dict(lr=0.05), paramwise_cfg=dict(new=("head",)))
