"""The old name of some of `common.training.transforms`; configs of earlier runs import it."""

from common.training.transforms import RandomHSVShift, RandomScaleCubic

__all__ = ["RandomHSVShift", "RandomScaleCubic"]
