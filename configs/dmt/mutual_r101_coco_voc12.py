# DMT's rounds for the network from COCO: 1 labelled and 7 pseudo-labelled images a batch, dynamic loss, lr 0.001.
_base_ = ["../supervised/deeplabv2_r101_coco_voc12.py"]
custom_imports = dict(imports=["methods.dmt.model"], allow_failed_imports=False)

model = dict(
    decode_head=dict(type="MutualHead", loss=dict(rule="dynamic", gamma_agree=5.0, gamma_disagree=5.0)),
)
train_dataloader = dict(batch_size=8, sampler=dict(type="StrongWeakSampler", strong=1))
train_cfg = dict(_delete_=True, type="SeekingTrainLoop", max_epochs=4)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
