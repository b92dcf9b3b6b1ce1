# IRNet: poly decay per iteration, power 0.9. The released class passes the weight decay in the place of the momentum,
# so that the momentum in effect is 1e-4; the learning rates are tuned for it.
train_cfg = dict(type="SeekingTrainLoop")
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=0.1, weight_decay=1e-4, momentum=1e-4, power=0.9),
    constructor="LrGroupConstructor",
)
