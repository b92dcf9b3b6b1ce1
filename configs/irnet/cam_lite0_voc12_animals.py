# IRNet's classifier on the animals: all of the backbone is trained, its norms frozen.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/efficientnet_lite0.py",
    "../_base_/pipelines/cam_voc12_animals.py",
    "../_base_/schedules/irnet.py",
    "../_base_/data/voc12_animals.py",
]

model = dict(type="CamClassifier", backbone=dict(frozen_stages=-1))

train_dataloader = dict(batch_size=16, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(max_epochs=8)
optim_wrapper = dict(optimizer=dict(lr=0.05), paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("head",), bias_decay=1))
