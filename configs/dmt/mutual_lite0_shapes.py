# DMT's rounds on the built-in benchmark: 1 labelled and 7 pseudo-labelled pictures in a batch. So few iterations need a
# high learning rate, and that needs clipped gradients.
_base_ = ["../deeplab/deeplabv2_lite0_shapes.py"]
custom_imports = dict(imports=["methods.dmt.model"], allow_failed_imports=False)

model = dict(
    decode_head=dict(type="MutualHead", loss=dict(rule="dynamic", gamma_agree=3.0, gamma_disagree=3.0)),
)
train_dataloader = dict(batch_size=8, sampler=dict(type="StrongWeakSampler", strong=1))
train_cfg = dict(max_epochs=3)
optim_wrapper = dict(optimizer=dict(lr=1e-2), clip_grad=dict(max_norm=5.0))
