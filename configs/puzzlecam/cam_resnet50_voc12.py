# Puzzle-CAM's classifier: ResNet-50 of output stride 16 with ImageNet weights, all of it trained, its batch norms too.
# Batch 32 are 8 images on each of the authors' four GPUs. The norms count the images of one GPU: fewer images per GPU
# made the result worse for others, and accumulated gradients do not bring them back. Statistics over all GPUs:
# sync_bn="torch".
_base_ = ["../_base_/runtime.py"]

custom_imports = dict(imports=["methods.puzzlecam.model"], allow_failed_imports=False)
sync_bn = None

model = dict(
    type="PuzzleClassifier",
    backbone=dict(
        type="DilatedResNet",
        depth=50,
        strides=(1, 2, 2, 1),
        init_cfg=dict(type="NamedWeights", weights="torchvision://resnet50-V1"),
    ),
    grid=2,
    alpha=4.0,
    schedule=0.5,
    data_preprocessor=dict(
        type="SegDataPreProcessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], size_divisor=1
    ),
)

train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="ResizeLong", low=320, high=640),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomCropContainer", size=512),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=15)
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, nesterov=True, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), new=("head",), bias_decay=0),
)
data = dict(root="data/voc12")
