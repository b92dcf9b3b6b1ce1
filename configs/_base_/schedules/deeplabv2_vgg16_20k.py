# DeepLab v2 on VGG16: as LargeFOV, with x10 and x20 in the four fc8.
train_cfg = dict(type="SeekingTrainLoop", max_iters=20000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="PolySGD", lr=1e-3, weight_decay=5e-4, momentum=0.9, power=0.9),
    constructor="LrGroupConstructor",
    paramwise_cfg=dict(
        mults=(1, 2, 10, 20), new=tuple(f"decode_head.branches.{i}.fc8" for i in range(4)), bias_decay=0
    ),
)
