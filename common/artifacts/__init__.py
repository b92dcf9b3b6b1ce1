"""What stages hand on. Each kind is a folder that reads and writes its own files, atomically."""

from common.artifacts.base import Artifact, Map, PerImageArtifact, Scores, Supervision, Weights
from common.artifacts.cams import CAM, CAMs
from common.artifacts.instances import InstanceMaps, Instances
from common.artifacts.labels import ConfidentLabel, ConfidentLabels, Labels

__all__ = [
    "CAM",
    "Artifact",
    "CAMs",
    "ConfidentLabel",
    "ConfidentLabels",
    "InstanceMaps",
    "Instances",
    "Labels",
    "Map",
    "PerImageArtifact",
    "Scores",
    "Supervision",
    "Weights",
]
