# ICD's network: DeepLab's VGG16 of output stride 8 with ImageNet weights, CAM branch, bottom-up and top-down branch,
# trained together for 20 epochs of batches of 32 (16 on each of two GPUs in the released code). lr 1e-3 for weights and
# biases, x10 in fc8 and in the top-down layer, poly 0.9 by whole epochs; decay 5e-4 on weights alone. Factors from 0.5
# to 1.5, padded at the bottom and right with the mean, crop 321; superpixels follow the crop.
# The weights are those of DeepLab's reduced VGG16 (fc6 3x3 and fc7, 1024 channels) as Caffe has them: BGR minus its
# mean. The released code hands RGB minus 127 to a file of its own. fc6 and fc7 begin both branches.
_base_ = ["../_base_/runtime.py"]

custom_imports = dict(imports=["methods.icd.model"], allow_failed_imports=False)

model = dict(
    type="DiscriminatorNetwork",
    backbone=dict(
        type="VGG16BeforePool",
        pool_kernel=3,
        pool_strides=(2, 2, 2, 1, 1),
        dilation5=2,
        avg_pool=True,
        init_cfg=dict(type="NamedWeights", weights="vgg16_20M"),
    ),
    width=1024,
    fov_weights=True,
    norm_cfg=dict(type="SyncBN"),
    variance_scale=10.0,
    momentum=0.9,
    threshold=0.2,
    warmup_epochs=2.0,
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[104.008, 116.669, 122.675],  # BGR
        std=[1.0, 1.0, 1.0],
        rgb_to_bgr=True,
        size_divisor=1,
    ),
)

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="RandomScaleRounded", scales=(0.5, 0.75, 1.0, 1.25, 1.5)),
            dict(type="RandomMirror", prob=0.5),
            dict(type="MeanPadCrop", size=321, pad=(122.675, 116.669, 104.008)),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=20)
custom_hooks = [dict(type="ImagesHook")]
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=1e-3, weight_decay=5e-4, momentum=0.9, power=0.9, refresh="epoch"),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("cam_branch.fc8", "top_down.out"), bias_decay=0),
)
data = dict(root="data/voc12")
