"""What stages hand on. Each kind is a folder that reads and writes its own files, atomically."""

from common.artifacts.base import Artifact, Map, PerImageArtifact, Scores, Supervision, Weights, named_maps
from common.artifacts.cams import CAM, CAMs
from common.artifacts.frames import Canvas, Squashed, Strided
from common.artifacts.grey import GreyMaps
from common.artifacts.ids import IdMaps
from common.artifacts.instances import InstanceMaps, Instances
from common.artifacts.labels import ConfidentLabel, ConfidentLabels, Labels
from common.artifacts.scores import ScoreMap, ScoreMaps

__all__ = [
    "CAM",
    "Artifact",
    "CAMs",
    "Canvas",
    "ConfidentLabel",
    "ConfidentLabels",
    "GreyMaps",
    "IdMaps",
    "InstanceMaps",
    "Instances",
    "Labels",
    "Map",
    "PerImageArtifact",
    "ScoreMap",
    "ScoreMaps",
    "Scores",
    "Squashed",
    "Strided",
    "Supervision",
    "Weights",
    "named_maps",
]
