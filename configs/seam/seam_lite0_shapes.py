# SEAM on the built-in benchmark: EfficientNet-Lite0 at output stride 8, as AffinityNet's classifier there. The second
# view is half as large, not 0.3 times: of pictures of 128 pixels that would leave 38, five cells.
_base_ = ["../_base_/runtime.py", "../_base_/schedules/psa.py", "../_base_/data/shapes.py"]
custom_imports = dict(imports=["methods.seam.model"], allow_failed_imports=False)

model = dict(
    type="SEAM",
    backbone=dict(
        type="EfficientNetLite",
        name="lite0",
        output_stride=8,
        out_indices=(2, 3, 4),
        conv_head=True,
        frozen_stages=2,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="package://efficientnet_lite0"),
    ),
    num_classes=6,
    init_cfg=dict(type="Normal", std=0.01, override=dict(type="Normal", name="head", std=0.01)),  # see the page
    dropout=0.5,
    scale=0.5,
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=96, high=160),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=128, pad=[127.5] * 3),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(max_epochs=4)
optim_wrapper = dict(optimizer=dict(lr=0.02), paramwise_cfg=dict(new=("head", "pcm")))
