# The quick backbone: EfficientNet-Lite0, fixed up to stride 8, norms frozen. Its ImageNet weights come as a package.
_base_ = ["runtime.py"]

custom_imports = dict(imports=["common.models.register"], allow_failed_imports=False)
model = dict(
    backbone=dict(
        type="EfficientNetLite",
        name="lite0",
        output_stride=16,
        frozen_stages=2,
        frozen_bn=True,
        init_cfg=dict(type="NamedWeights", weights="package://efficientnet_lite0"),
    ),
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)
