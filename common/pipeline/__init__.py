"""Recipe -> plan -> run. A stage function needs what is exported here."""

from common.pipeline.per_image import Image, per_image
from common.pipeline.run import run_recipe
from common.pipeline.stage import NetworkConfig, PerImage, Run, evaluation, every_rank

__all__ = ["Image", "NetworkConfig", "PerImage", "Run", "evaluation", "every_rank", "per_image", "run_recipe"]
