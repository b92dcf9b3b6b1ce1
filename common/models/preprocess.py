"""From images in 0..255 to what a network was trained on: the network's own `data_preprocessor` knows how."""

from __future__ import annotations

from torch import Tensor, nn


def normalize(model: nn.Module, images: Tensor) -> Tensor:
    """Normalise a batch as the model's `data_preprocessor` does in training, without its padding.

    Args:
        model: has an mmseg `data_preprocessor` with mean and std in 0..255 units.
        images: [B, 3, H, W] RGB, 0..255, any dtype.

    Returns:
        float32 [B, 3, H, W] on the device of the images; BGR where the preprocessor swaps the channels.
    """
    rules = model.data_preprocessor
    images = images.float()
    if rules.channel_conversion:
        images = images[:, [2, 1, 0]]
    return (images - rules.mean.to(images.device)) / rules.std.to(images.device)
