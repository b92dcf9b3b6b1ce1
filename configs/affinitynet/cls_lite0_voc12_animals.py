# AffinityNet's classifier on the animals.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/efficientnet_lite0.py",
    "../_base_/pipelines/cam_voc12_animals.py",
    "../_base_/schedules/psa.py",
    "../_base_/data/voc12_animals.py",
]

model = dict(type="CamClassifier", dropout=0.5)

train_dataloader = dict(batch_size=16, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(max_epochs=6)
optim_wrapper = dict(optimizer=dict(lr=0.05), paramwise_cfg=dict(new=("head",)))
