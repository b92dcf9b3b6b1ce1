# DMT: lr 0.002 for everything (the head has none of its own), momentum 0.9, weight decay 5e-4 on everything, poly 0.9.
train_cfg = dict(type="SeekingTrainLoop")
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=2e-3, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 1, 1), bias_decay=1),
)
