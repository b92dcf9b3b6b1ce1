# SEAM's retraining: DeepLab v1 on ResNet-38, as the released segmentation code ran (64.754 on val). It normalised with
# the statistics of 5 images, 10 on two GPUs; on one GPU they are of all 10.
_base_ = [
    "../_base_/runtime.py",
    "../_base_/models/deeplabv1_resnet38.py",
    "../_base_/schedules/deeplabv1_resnet38_20k.py",
    "../_base_/data/voc12.py",
]
custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)

train_dataloader = dict(
    batch_size=10,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type="RandomHSVShift", hue=10, saturation=10, value=10),
            dict(type="RandomMirror", prob=0.5),
            dict(type="RandomScaleCubic", low=0.5, high=1.5),
            dict(type="RandomCropContainer", size=448),
            dict(type="Pack"),
        ],
    ),
)
