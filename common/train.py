"""The old name of `common.training.train`."""

from common.training.train import main, train_network

__all__ = ["main", "train_network"]
