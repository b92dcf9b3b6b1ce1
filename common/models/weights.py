"""The old name of `common.checkpoints.initial` and `names`."""

from common.checkpoints.initial import NamedWeights
from common.checkpoints.names import package_file

__all__ = ["NamedWeights", "package_file"]
