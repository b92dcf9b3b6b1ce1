"""What the backbones share: five taps with their channels and strides, frozen stages, frozen batch normalisation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def batch_norm_eval(module: nn.Module) -> None:
    """Let every batch normalisation of `module` use its stored statistics; its scale and shift stay trainable."""
    for part in module.modules():
        if isinstance(part, _BatchNorm):
            part.eval()


def freeze(modules: Iterable[nn.Module]) -> None:
    """No gradient (hence no update and no weight decay) and stored statistics."""
    for module in modules:
        module.eval()
        module.requires_grad_(False)


class Taps:
    """Mixin of a backbone whose forward(x [B, 3, H, W]) returns the feature maps `out_indices`, finest first.

    Attributes:
        channels: channels of the returned maps.
        strides: input pixels per cell of the returned maps; a side of n gives ceil(n / stride) cells unless a backbone
            says otherwise.
        title: what the field calls it, e.g. "ResNet-{depth}" with words of its config; subclasses inherit it. Reports
            read it without running the file: it must be a plain string. Without one it goes by the name of its class.
    """

    channels: tuple[int, ...]
    strides: tuple[int, ...]
    title: ClassVar[str]
