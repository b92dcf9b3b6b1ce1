# AffinityNet on ResNet-38, from ImageNet's weights (not the classifier's): 8 epochs, lr 0.01.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/schedules/psa.py",
    "../_base_/pipelines/psa_affinity_448.py",
    "../_base_/data/voc12.py",
]

model = dict(
    type="AffinityNet",
    backbone=dict(
        type="ResNet38",
        out_indices=(1, 2, 3),
        frozen="b2",
        init_cfg=dict(type="NamedWeights", weights="resnet38_imagenet"),
    ),
    widths=(64, 128, 256),
    radius=5,
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)

train_dataloader = dict(batch_size=8, num_workers=8, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(max_epochs=8)
optim_wrapper = dict(optimizer=dict(lr=0.01), paramwise_cfg=dict(new=("reduce", "fuse")))
