"""The loop of a per-image stage: skips what is there, runs in worker processes or on a GPU, collects failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from common.artifacts import PerImageArtifact
from common.base.errors import DataError, SupervisionError, UserError
from common.base.progress import Progress
from common.checkpoints.contents import completed
from common.data.dataset import DataSet
from common.pipeline.read_log import ReadLog

HOPELESS = 20  # so many failures before the first success: the fault is not in an image


class Image:
    """One photo of a data set; its pixels are read when they are first asked for."""

    def __init__(self, data: DataSet, image_id: str) -> None:
        self.data, self.id = data, image_id

    @cached_property
    def pixels(self) -> np.ndarray:
        """uint8 RGB [h, w, 3]."""
        return self.data.image(self.id)

    @cached_property
    def size(self) -> tuple[int, int]:
        """(h, w); only the file's header is read."""
        return self.data.size(self.id)

    @property
    def tags(self) -> tuple[int, ...]:
        """Class ids of the image-level labels, sorted."""
        return self.data.tags(self.id)


@dataclass(frozen=True)
class PerImageJob:
    """What a per-image stage returns: `make` gives the artefact of one image (of a list of them if `batch` > 1)."""

    make: Callable[[Any], Any]
    split: str | None = None
    batch: int = 1


def per_image(make: Callable[[Any], Any], split: str | None = None, batch: int = 1) -> Any:
    """Hand the pipeline a function from one `Image` to its artefact.

    split: the images to visit; None: those of the first per-image input. batch: with more than one, `make` receives
    lists of images of equal size and returns a list (GPU stages).
    """
    return PerImageJob(make, split, batch)


@dataclass(frozen=True)
class Outcome:
    """What the loop did: failures as image id -> message, and the largest memory of a worker in MB."""

    failures: dict[str, str]
    peak_memory_mb: float


def run_here(
    job: PerImageJob, data: DataSet, out: PerImageArtifact, ids: list[str], progress: Progress, log: ReadLog
) -> Outcome:
    """Visit `ids` in this process, decoding ahead and writing behind in threads."""
    failures: dict[str, str] = {}
    waiting = set(ids)
    with ThreadPoolExecutor(2) as reader, ThreadPoolExecutor(2) as writer:
        writing: list[Future] = []
        for images in _batches(data, ids, job.batch, reader, failures):
            names = [image.id for image in images]
            waiting.difference_update(names)
            try:
                values = job.make(images) if job.batch > 1 else [job.make(images[0])]
            except Exception as error:
                note_failure(failures, names, error, progress)
                continue
            if data.reads is not None:
                log.add(names, completed(data.reads.take(waiting), data, data.reads.hashes))
            writing += [writer.submit(out.write, image.id, value) for image, value in zip(images, values, strict=True)]
            while writing and (writing[0].done() or len(writing) > 4 * job.batch):
                writing.pop(0).result()
                progress.step()
        for future in writing:
            future.result()
            progress.step()
    return Outcome(failures, 0.0)


def _batches(
    data: DataSet, ids: list[str], size: int, reader: ThreadPoolExecutor, failures: dict[str, str]
) -> Iterator[list[Image]]:
    """Decoded images in lists of up to `size` of one image size, read a few ahead."""
    ahead: list[tuple[Image, Future]] = []
    waiting: dict[tuple[int, int], list[Image]] = {}
    queue = iter([Image(data, image_id) for image_id in ids])
    while True:
        while len(ahead) < 4 * size and (image := next(queue, None)) is not None:
            ahead.append((image, reader.submit(lambda image: image.pixels, image)))
        if not ahead:
            yield from waiting.values()
            return
        image, future = ahead.pop(0)
        try:
            same = waiting.setdefault(future.result().shape[:2], [])
        except DataError as error:
            failures[image.id] = str(error)
            continue
        same.append(image)
        if len(same) == size:
            yield waiting.pop(image.pixels.shape[:2])


def note_failure(failures: dict[str, str], ids: list[str], error: Exception, progress: Progress) -> None:
    """Keep going past a broken image, but not past a full disk, a forbidden mask or a stage that never works."""
    if isinstance(error, SupervisionError) or (isinstance(error, UserError) and not isinstance(error, DataError)):
        raise error
    text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    failures.update((image_id, text) for image_id in ids)
    if len(failures) >= HOPELESS and progress.count == progress.start_count:
        raise error
