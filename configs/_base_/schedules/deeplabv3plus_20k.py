# DeepLab v3+ as DRS trains it: 20 000 iterations of 32 images (batch_size=32), lr 0.005 in the backbone, x10 in the
# head, poly 0.9 with the floor 1e-6; weight decay on everything.
train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=5e-3, weight_decay=1e-4, momentum=0.9, power=0.9, floor=1e-6),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(mults=(1, 1, 10, 10), new=("decode_head",), bias_decay=1),
)
