"""The label that is ignored, and normalisation constants: 0..255, RGB unless said; configs repeat them as numbers."""

from __future__ import annotations

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
CAFFE_MEAN = (122.675, 116.669, 104.008)
"""Mean of the Caffe models in RGB order (they read BGR: 104.008, 116.669, 122.675) and divide by nothing."""
IGNORE = 255  # label of pixels that are void, unsure or padding
