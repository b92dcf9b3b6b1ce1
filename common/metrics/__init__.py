"""Metrics of the field. Class ids are mask values: 0 background, 1..C-1 classes, 255 ignored."""

from common.metrics.confusion import ConfusionMatrix
from common.metrics.instance_ap import InstanceAP, average_precision
from common.metrics.multilabel import exact_match_accuracy, multilabel_average_precision
from common.metrics.photos import PhotoMatrices
from common.metrics.threshold import BestThreshold

__all__ = [
    "BestThreshold",
    "ConfusionMatrix",
    "InstanceAP",
    "PhotoMatrices",
    "average_precision",
    "exact_match_accuracy",
    "multilabel_average_precision",
]
