# DeepLab v2's head on EfficientNet-Lite0 for photos of 240 pixels, trained on IRNet's pseudo labels.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/schedules/deeplabv2_20k.py",
    "../_base_/data/voc12_animals.py",
    "../_base_/models/deeplabv2_efficientnet_lite0.py",
]

train_dataloader = dict(
    batch_size=16,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleChoice", scales=(0.75, 1.0, 1.25, 1.5)),
            dict(type="MeanPadCrop", size=224, pad=[127.5] * 3),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(max_iters=400)
optim_wrapper = dict(optimizer=dict(lr=5e-3, refresh=1))
