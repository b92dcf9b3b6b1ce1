# DeepLab v2: 20 000 iterations of 10 images; lr 2.5e-4, poly 0.9 refreshed every 10 iterations; the classifier's
# weights x10, its biases x20 without decay; norms frozen.
train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=2.5e-4, weight_decay=5e-4, momentum=0.9, power=0.9, refresh=10),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 20), new=("decode_head",), bias_decay=0),
)
