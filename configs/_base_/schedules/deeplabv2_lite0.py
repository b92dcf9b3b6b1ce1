# The quick DeepLab v2. Its head reads large, linear features: it takes a tenth of the learning rate where DeepLab gives
# it ten times.
train_cfg = dict(type="SeekingTrainLoop")
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=5e-3, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 0.1, 0.2), new=("decode_head",), bias_decay=0),
)
