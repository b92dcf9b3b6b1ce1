# AffinityNet on VGG16, from DeepLab-LargeFOV's initial weights: fc6 dilated by 4, GroupNorm on the taps, 8 epochs,
# lr 0.1.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/schedules/psa.py",
    "../_base_/pipelines/psa_affinity_448.py",
    "../_base_/data/voc12.py",
]

model = dict(
    type="AffinityNet",
    backbone=dict(
        type="VGG16FullyConv",
        fc6_dilation=4,
        frozen_stages=1,
        init_cfg=dict(type="NamedWeights", weights="vgg16_20M"),
    ),
    widths=(64, 128, 256),
    groups=(8, 16, 32),
    radius=5,
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[104.008, 116.669, 122.675],  # BGR
        std=[1.0, 1.0, 1.0],
        rgb_to_bgr=True,
        size_divisor=1,
    ),
)

train_dataloader = dict(batch_size=8, num_workers=8, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(max_epochs=8)
optim_wrapper = dict(optimizer=dict(lr=0.1), paramwise_cfg=dict(new=("reduce", "fuse")))
