# The supervised baseline of DMT's table: its DeepLab v2 from ImageNet, batches of 8. A recipe sets the iterations.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/deeplabv2_resnet101_dmt.py",
    "../_base_/pipelines/dmt_321.py",
    "../_base_/schedules/dmt.py",
    "../_base_/data/voc12.py",
]

train_dataloader = dict(batch_size=8, num_workers=8, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(max_iters=8978)  # 134 epochs of 67 batches: 1/20
