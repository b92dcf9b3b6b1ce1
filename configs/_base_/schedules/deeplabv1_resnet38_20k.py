# SEAM's DeepLab v1: 20 000 iterations of 10 images (batch_size=10), lr 1e-3 (1 - t / 20 001)^0.9, real momentum 0.9;
# biases x2, the head's convolutions x10 and x20; biases without decay, batch normalisation in no group.
train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=1e-3, weight_decay=5e-4, momentum=0.9, power=0.9, max_step=20001),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 2, 10, 20), new=("decode_head",), bias_decay=0, norm="skip"),
)
