# DRS's refinement network: the same VGG16 with plain ReLUs. Photos and maps squashed to 320 x 320, no crop; Adam 1e-4,
# one group, no decay; 30 epochs, a tenth of the rate from the 10th and the 20th on, counted from 1.
_base_ = ["cls_vgg16_voc12.py"]

model = dict(type="RefinementNetwork", ratio=1.0, backbone=dict(ratio=1.0))

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type="Squash", height=320, width=320),
            dict(type="RandomColorJitter", brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
            dict(type="RandomMirror", prob=0.5),
            dict(type="Pack"),
        ],
    ),
)

train_cfg = dict(type="SeekingTrainLoop", max_epochs=30)
param_scheduler = [dict(type="MultiStepLR", milestones=[9, 19], gamma=0.1, by_epoch=True)]
optim_wrapper = dict(_delete_=True, type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4))
