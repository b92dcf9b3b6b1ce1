# DMT's rounds on the built-in benchmark: 2 labelled and 14 pseudo-labelled pictures in a batch.
_base_ = ["../deeplab/deeplabv2_lite0_shapes.py"]
custom_imports = dict(imports=["methods.dmt.model"], allow_failed_imports=False)

model = dict(
    decode_head=dict(type="MutualHead", loss=dict(rule="dynamic", gamma_agree=5.0, gamma_disagree=5.0)),
)
train_dataloader = dict(batch_size=16, sampler=dict(type="StrongWeakSampler", strong=2))
train_cfg = dict(max_epochs=3)
optim_wrapper = dict(optimizer=dict(lr=2.5e-3))
