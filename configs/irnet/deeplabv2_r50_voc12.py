# DeepLab v2 laid out as the ResNet-101 one, on ResNet-50 with ImageNet weights; stem and batch normalisation frozen.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/deeplabv2_resnet50_msc.py",
    "../_base_/pipelines/deeplab_rgb_321.py",
    "../_base_/data/voc12.py",
]

train_dataloader = dict(batch_size=10, num_workers=8, dataset=dict(pipeline={{_base_.train_pipeline}}))
train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
# lr 2.5e-4, poly 0.9 refreshed every 10 iterations; the head's weights x10, its biases x20 without decay.
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=2.5e-4, weight_decay=5e-4, momentum=0.9, power=0.9, refresh=10),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 20), new=("decode_head",), bias_decay=0),
)
