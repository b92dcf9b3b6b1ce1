# SEAM on the built-in benchmark: backbone, crops and epochs of AffinityNet's classifier there. The second view is 0.75
# times as large, not 0.3 times: of pictures of 128 pixels that would leave five cells.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/efficientnet_lite0.py",
    "../_base_/pipelines/cam_shapes.py",
    "../_base_/schedules/psa.py",
    "../_base_/data/shapes.py",
]
custom_imports = dict(imports=["methods.seam.model"], allow_failed_imports=False)

model = dict(
    type="SEAM",
    backbone=dict(output_stride=8, conv_head=True, out_indices=(2, 3, 4)),
    dropout=0.5,
    head_gain=0.1,  # few iterations: what the head starts with would stay visible in the maps
    scale=0.75,
)

train_dataloader = dict(batch_size=8, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(max_epochs=8)
optim_wrapper = dict(optimizer=dict(lr=0.02), paramwise_cfg=dict(new=("head", "pcm")))
