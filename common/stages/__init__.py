"""Stages that many methods use. A recipe names them by these functions' names."""

# Two habits of every file of stages. No `from __future__ import annotations`: the pipeline reads the annotations. And
# what needs torch is imported inside the stage: a plan, a report and the stages without a network start without it.

from common.stages.controls import first_tag, gradient_walk
from common.stages.inference import infer_cam, infer_seg
from common.stages.judging import eval_cam, eval_labels, eval_tags
from common.stages.labelling import boundary_walk, cam_labels, cam_to_ir_label, crf, labels, saliency_labels
from common.stages.reading import read_ids, read_labels, read_maps
from common.stages.superpixels import felzenszwalb, slic
from common.stages.training import train

__all__ = [
    "boundary_walk",
    "cam_labels",
    "cam_to_ir_label",
    "crf",
    "eval_cam",
    "eval_labels",
    "eval_tags",
    "felzenszwalb",
    "first_tag",
    "gradient_walk",
    "infer_cam",
    "infer_seg",
    "labels",
    "read_ids",
    "read_labels",
    "read_maps",
    "saliency_labels",
    "slic",
    "train",
]
