# SEAM on the animals: backbone, crops and epochs of AffinityNet's classifier there. The second view is half as large,
# not 0.3 times: the photos are.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/efficientnet_lite0.py",
    "../_base_/pipelines/cam_voc12_animals.py",
    "../_base_/schedules/psa.py",
    "../_base_/data/voc12_animals.py",
]
custom_imports = dict(imports=["methods.seam.model"], allow_failed_imports=False)

model = dict(
    type="SEAM",
    backbone=dict(out_indices=(2, 3, 4)),
    dropout=0.5,
    head_gain=0.1,
    scale=0.5,
)

train_dataloader = dict(batch_size=16, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(max_epochs=6)
optim_wrapper = dict(optimizer=dict(lr=0.05), paramwise_cfg=dict(new=("head", "pcm")))
