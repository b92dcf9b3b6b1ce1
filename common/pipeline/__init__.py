"""Recipe -> plan -> run. A stage function needs what is exported here."""

from common.pipeline.per_image import Image, per_image
from common.pipeline.run import run_recipe
from common.pipeline.stage import (
    Count,
    Folder,
    NetworkConfig,
    PerImage,
    Positive,
    Range,
    Run,
    Scales,
    Source,
    Unit,
    checked_by,
    comes_from,
    evaluation,
    every_rank,
    noted_by,
)

__all__ = [
    "Count",
    "Folder",
    "Image",
    "NetworkConfig",
    "PerImage",
    "Positive",
    "Range",
    "Run",
    "Scales",
    "Source",
    "Unit",
    "checked_by",
    "comes_from",
    "evaluation",
    "every_rank",
    "noted_by",
    "per_image",
    "run_recipe",
]
