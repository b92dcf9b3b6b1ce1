"""The loop of a per-image stage: skips what is there, runs in worker processes or on a GPU, collects failures."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import resource
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from common.artifacts import PerImageArtifact
from common.data.voc import DataSet
from common.errors import DataError, SupervisionError, UserError
from common.memory import keep_freed_memory
from common.progress import Progress

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


def run_here(job: PerImageJob, data: DataSet, out: PerImageArtifact, ids: list[str], progress: Progress) -> Outcome:
    """Visit `ids` in this process, decoding ahead and writing behind in threads."""
    failures: dict[str, str] = {}
    with ThreadPoolExecutor(2) as reader, ThreadPoolExecutor(2) as writer:
        writing: list[Future] = []
        for images in _batches(data, ids, job.batch, reader, failures):
            try:
                values = job.make(images) if job.batch > 1 else [job.make(images[0])]
            except Exception as error:
                _note_failure(failures, [image.id for image in images], error, progress)
                continue
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


def _note_failure(failures: dict[str, str], ids: list[str], error: Exception, progress: Progress) -> None:
    """Keep going past a broken image, but not past a full disk, a forbidden mask or a stage that never works."""
    if isinstance(error, SupervisionError) or (isinstance(error, UserError) and not isinstance(error, DataError)):
        raise error
    text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    failures.update((image_id, text) for image_id in ids)
    if len(failures) >= HOPELESS and progress.count == progress.start_count:
        raise error


# --- worker processes (CPU) ---------------------------------------------------------------------------------------


def run_workers(
    make_job: Callable[[], tuple[PerImageJob, DataSet]],
    out: PerImageArtifact,
    ids: list[str],
    workers: int,
    progress: Progress,
) -> Outcome:
    """Visit `ids` in `workers` processes of one thread each; `make_job` (picklable) sets a worker up."""
    failures: dict[str, str] = {}
    peak = 0.0
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["common.stages"])
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(make_job, out))
    try:
        for future in as_completed([pool.submit(_visit, image_id) for image_id in ids]):
            image_id, error, memory = future.result()
            peak = max(peak, memory)
            if error is None:
                progress.step()
            else:
                _note_failure(failures, [image_id], error, progress)
    except BrokenProcessPool as error:
        raise UserError(
            "A worker process died (out of memory?): run the same command again with fewer --workers; "
            "finished images are kept."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return Outcome(failures, peak)


_worker: tuple[PerImageJob, DataSet, PerImageArtifact] | None = None  # set once in each worker process


def _start_worker(make_job: Callable[[], tuple[PerImageJob, DataSet]], out: PerImageArtifact) -> None:
    global _worker
    import torch

    parent = multiprocessing.parent_process()
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    torch.set_num_threads(1)
    keep_freed_memory()
    _worker = (*make_job(), out)


def _die_with(parent: Any) -> None:
    """A parent that was killed cannot stop its workers: they watch it."""
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _visit(image_id: str) -> tuple[str, Exception | None, float]:
    assert _worker is not None
    job, data, out = _worker
    try:
        image = Image(data, image_id)
        value = job.make([image])[0] if job.batch > 1 else job.make(image)
        out.write(image_id, value)
        error = None
    except UserError as caught:
        error = caught
    except Exception as caught:  # other exceptions may not survive pickling
        error = RuntimeError(f"{type(caught).__name__}: {caught}")
    return image_id, error, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
