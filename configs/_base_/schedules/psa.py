# AffinityNet, SEAM and their kin: weights x1, biases x2, new weights x10, new biases x20; biases without decay.
# The momentum in effect in the released code is the weight decay, 5e-4 (see irnet.py).
train_cfg = dict(type="SeekingTrainLoop")
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=5e-4, momentum=5e-4, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 2, 10, 20), bias_decay=0, norm="train"),
)
