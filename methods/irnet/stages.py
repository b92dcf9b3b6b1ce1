"""IRNet's own stages: mean displacement, instances and their AP. Its labels and its walk are common stages."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

import shutil
from typing import TYPE_CHECKING, Annotated

import numpy as np

from common.artifacts import CAMs, InstanceMaps, Instances, Scores, Weights
from common.base.errors import UserError
from common.base.progress import Progress
from common.metrics import InstanceAP
from common.pipeline import Count, Image, PerImage, Positive, Range, Run, Unit, evaluation, per_image

if TYPE_CHECKING:
    import torch

    from methods.irnet.model import InterPixelNet


def mean_displacement(run: Run, weights: Weights, split: str, crop: Count = 512, batch: Count = 32) -> Weights:
    """Give the trained network its mean shift: the mean displacement over a split, in the order of its list.

    The images are cropped at the top left to `crop` pixels; padding counts. As in the released code only full batches
    of `batch` images count, so the last images of the list are left out; of a list shorter than one batch all count.
    """
    from common.checkpoints.files import save_weights
    from methods.irnet.model import estimate_mean_shift

    network = _with_displacement(run, weights)
    ids = run.data.ids(split)
    used = ids[: len(ids) // batch * batch] or ids
    with Progress(len(used), run.out.name) as progress:
        shift = estimate_mean_shift(network, (_top_left(network, run, image_id, crop, progress) for image_id in used))
    run.log("mean displacement ({:.4f}, {:.4f}) cells down and right".format(*shift.tolist()))
    save_weights(network, run.out / "weights.pth")
    shutil.copyfile(weights.config, run.out / "config.py")


def instances(
    run: Run,
    cams: CAMs,
    weights: Weights,
    split: str | None = None,
    beta: Positive = 10.0,
    exp_times: Annotated[int, Range(0, 16)] = 8,
    radius: Annotated[int, Range(2)] = 5,
    bg: Unit = 0.25,
    canvas: Count = 512,
    iterations: Count = 300,
    weak: Positive = 2.5,
    min_area: Unit = 0.01,
) -> PerImage[InstanceMaps]:
    """Instance pseudo labels: each class's CAM is split by the centroids the displacements lead to, then walks.

    split: the images, by default all that have a CAM; iterations, weak, min_area: see `instance_labels`.
    """
    from common.ops.random_walk import BoundaryWalk
    from methods.irnet.instances import instance_labels

    network = _with_displacement(run, weights)
    walk = BoundaryWalk(radius, beta, exp_times)

    def detections(image: Image) -> Instances:
        edge, displacement = network.infer(_tensor(image.pixels, run.device), canvas)
        field = displacement.cpu().numpy()
        return instance_labels(cams.read(image.id), edge, field, walk, bg, iterations, weak, min_area)

    return per_image(detections, split=split)


@evaluation(instances=True)
def eval_instances(run: Run, instances: InstanceMaps, split: str, iou: Unit = 0.5) -> Scores:
    """Average precision of instance masks at one IoU (area under the monotone precision-recall curve), per class."""
    metric = InstanceAP(run.data.num_classes, iou)
    ids = run.data.ids(split)
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            metric.add(instances.read(image_id), run.data.instances(image_id), run.data.mask(image_id))
            progress.step()
    return {**metric.scores(run.data.classes), "iou": iou, "images": len(ids)}


def _tensor(pixels: np.ndarray, device: "torch.device") -> "torch.Tensor":
    """uint8 [h, w, 3] -> [3, h, w] on the device."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).to(device)


def _with_displacement(run: Run, weights: Weights) -> "InterPixelNet":
    from common.checkpoints.networks import load_model

    network = load_model(weights.file, weights.config, run.device)
    if getattr(network, "displacement_head", None) is None:
        raise UserError("This network has no displacement branch: train an InterPixelNet for instances.")
    return network


def _top_left(network: "InterPixelNet", run: Run, image_id: str, crop: int, progress: Progress) -> "torch.Tensor":
    """The network's input for the top-left crop of an image, [1, 3, crop, crop]."""
    from common.models.boundary import on_canvas

    progress.step()
    pixels = run.data.image(image_id)[:crop, :crop]
    return on_canvas(network.normalize(_tensor(pixels, run.device)[None]), crop)
