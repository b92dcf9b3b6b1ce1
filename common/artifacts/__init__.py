"""What stages hand on. Each kind is a folder that reads and writes its own files, atomically."""

from common.artifacts.base import Artifact, PerImageArtifact, Scores, Supervision, Weights
from common.artifacts.cams import CAM, CAMs
from common.artifacts.instances import InstanceMaps, Instances
from common.artifacts.labels import ConfidentLabel, ConfidentLabels, Labels
from common.artifacts.scores import ScoreVolume, ScoreVolumes

__all__ = [
    "CAM",
    "Artifact",
    "CAMs",
    "ConfidentLabel",
    "ConfidentLabels",
    "InstanceMaps",
    "Instances",
    "Labels",
    "PerImageArtifact",
    "ScoreVolume",
    "ScoreVolumes",
    "Scores",
    "Supervision",
    "Weights",
]
