# IRNet's classifier on the built-in benchmark.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/efficientnet_lite0.py",
    "../_base_/pipelines/cam_shapes.py",
    "../_base_/schedules/irnet.py",
    "../_base_/data/shapes.py",
]

model = dict(type="CamClassifier", backbone=dict(conv_head=True))

train_dataloader = dict(batch_size=16, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(max_epochs=4)
# A fifth of IRNet's learning rate: at 0.1 this network does not learn.
optim_wrapper = dict(optimizer=dict(lr=0.02), paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("head",), bias_decay=1))
