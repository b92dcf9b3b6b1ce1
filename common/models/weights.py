"""The old name of `common.checkpoints.initial`."""

from common.checkpoints.initial import NamedWeights, package_file

__all__ = ["NamedWeights", "package_file"]
