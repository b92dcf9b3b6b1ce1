# What every training shares; no number of a paper. Batches are a function of (seed, iteration), augmentation of (seed,
# epoch, image id). Each network config has one base: this file, or one that builds on it.

default_scope = "mmseg"
seed = 0
train_dataloader = dict(
    num_workers=2,
    sampler=dict(type="SeekingSampler", shuffle=True),
    dataset=dict(type="WeakDataset", split="train_aug"),
)
default_hooks = dict(
    logger=dict(type="JsonLogHook", interval=None),  # it follows from the length of the training
    checkpoint=dict(type="AtomicCheckpointHook", interval=None),
)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)
