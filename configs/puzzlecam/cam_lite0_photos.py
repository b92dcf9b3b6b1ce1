# Puzzle-CAM's classifier on any photos: all of EfficientNet-Lite0 is trained, its norms frozen. Alpha follows the
# number of classes: the paper's 4 is for means over 20. Learning rate and epochs are starting points.
_base_ = ["../_base_/lite0.py"]

custom_imports = dict(imports=["methods.puzzlecam.model"], allow_failed_imports=False)

model = dict(type="PuzzleClassifier", backbone=dict(frozen_stages=-1), grid=2, alpha=None, schedule=0.5)

train_pipeline = [
    dict(type="ResizeLong", low=256, high=512),
    dict(type="RandomMirror", prob=0.5),
    dict(type="RandomCropContainer", size=384, pad=[127.5] * 3),
    dict(type="Pack"),
]

train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))

train_cfg = dict(type="SeekingTrainLoop", max_epochs=6, min_iters=100)  # few photos: short epochs
optim_wrapper = dict(
    type="OptimWrapper",
    # the released class passes the weight decay as the momentum
    optimizer=dict(type="PolySGD", lr=0.05, weight_decay=1e-4, momentum=1e-4, nesterov=True, power=0.9),
    constructor="LrGroupConstructor",
    # old weights, old biases, new weights, new biases; no decay of biases
    paramwise_cfg=dict(mults=(1, 2, 10, 20), new=("head",), bias_decay=0),
    clip_grad=dict(max_norm=1.0),  # losses are means over classes: of two classes steps are ten times those of 20
)
data = dict(root="data/photos")
