# AffinityNet's classifier on VGG16 (DeepLab-LargeFOV's initial weights): 15 epochs, lr 0.1; its CAM is a square root.
_base_ = ["../_base_/runtime.py"]

train_cfg = dict(type="SeekingTrainLoop", max_epochs=15)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=5e-4, momentum=5e-4, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), bias_decay=0, norm="train", new=("head",)),
)
data = dict(root="data/voc12")
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

model = dict(
    type="CamClassifier",
    backbone=dict(
        type="VGG16FullyConv",
        fc6_dilation=1,
        frozen_stages=1,
        init_cfg=dict(type="NamedWeights", weights="vgg16_20M"),
    ),
    dropout=0.5,
    head_gain=1.0,
    cam_power=0.5,
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[104.008, 116.669, 122.675],  # BGR
        std=[1.0, 1.0, 1.0],
        rgb_to_bgr=True,
        size_divisor=1,
    ),
)

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=256, high=512),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomCropContainer", size=448, pad=(122.675, 116.669, 104.008)),
            dict(type="Pack"),
        ],
    ),
)
