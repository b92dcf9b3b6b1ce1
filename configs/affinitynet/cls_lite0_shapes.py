# AffinityNet's classifier on the built-in benchmark, at output stride 8.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/efficientnet_lite0.py",
    "../_base_/pipelines/cam_shapes.py",
    "../_base_/schedules/psa.py",
    "../_base_/data/shapes.py",
]

model = dict(
    type="CamClassifier",
    backbone=dict(output_stride=8, conv_head=True),
    dropout=0.5,
)

train_dataloader = dict(batch_size=8, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(max_epochs=8)
# A fifth of VGG16's learning rate: at 0.1 this network does not learn.
optim_wrapper = dict(optimizer=dict(lr=0.02), paramwise_cfg=dict(new=("head",)))
