# runtime.py, and the quick backbone: EfficientNet-Lite0, fixed up to stride 8, norms frozen. Its ImageNet weights come
# as a package.

default_scope = "mmseg"
seed = 0
train_dataloader = dict(
    num_workers=2,
    sampler=dict(type="SeekingSampler", shuffle=True),
    dataset=dict(type="WeakDataset", split="train_aug"),
)
default_hooks = dict(
    logger=dict(type="JsonLogHook", interval=None),
    checkpoint=dict(type="AtomicCheckpointHook", interval=None),
)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)

custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)
model = dict(
    backbone=dict(
        type="EfficientNetLite",
        name="lite0",
        output_stride=16,
        frozen_stages=2,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="package://efficientnet_lite0"),
    ),
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)
