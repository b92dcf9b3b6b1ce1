# DeepLab LargeFOV on VGG16, poly schedule: 20 000 iterations of 10 images (batch_size=10), lr 1e-3 for weights, x2 for
# biases, x10 and x20 in fc8; biases without decay. The public PyTorch code names fc8's rates but, wrapped for several
# GPUs, trains it at x1 and x2: mults=(1, 2, 1, 2) gives that.
train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=1e-3, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 2, 10, 20), new=("decode_head.branches.0.fc8",), bias_decay=0),
)
