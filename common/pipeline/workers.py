"""The worker processes of a per-image stage (CPU)."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import resource
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from common.artifacts import PerImageArtifact
from common.base.errors import UserError
from common.base.memory import keep_freed_memory
from common.base.parallel import set_threads
from common.base.progress import Progress
from common.checkpoints.contents import completed
from common.data.dataset import DataSet
from common.data.guard import set_guard
from common.data.reads import Reads, set_reads
from common.pipeline.per_image import Image, Outcome, PerImageJob, note_failure
from common.pipeline.read_log import ReadLog
from common.pipeline.stage import Run


def preload(modules: Iterable[str]) -> None:
    """Let the workers of this process start with these modules imported, once for all of them.

    The server that forks them starts with the first stage that has workers; later calls change nothing.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(["common.pipeline", *modules])


def run_workers(
    make_job: Callable[[], tuple[PerImageJob, Run]],
    out: PerImageArtifact,
    ids: list[str],
    workers: int,
    progress: Progress,
    log: ReadLog,
) -> Outcome:
    """Visit `ids` in `workers` processes of one thread each; `make_job` (picklable) sets a worker up."""
    failures: dict[str, str] = {}
    peak = 0.0
    context = multiprocessing.get_context("forkserver")
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(make_job, out, log))
    try:
        for future in as_completed([pool.submit(_visit, image_id) for image_id in ids]):
            image_id, error, memory = future.result()
            peak = max(peak, memory)
            if error is None:
                progress.step()
            else:
                note_failure(failures, [image_id], error, progress)
    except BrokenProcessPool as error:
        raise UserError(
            "A worker process died (out of memory?): run the same command again with fewer --workers; "
            "finished images are kept."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return Outcome(failures, peak)


_worker: tuple[PerImageJob, DataSet, PerImageArtifact, Reads, ReadLog] | None = None  # set once in each worker process


def _start_worker(make_job: Callable[[], tuple[PerImageJob, Run]], out: PerImageArtifact, log: ReadLog) -> None:
    global _worker
    parent = multiprocessing.parent_process()
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    set_threads(1)
    keep_freed_memory()
    reads = Reads()
    set_reads(reads)
    job, run = make_job()
    reads.take()  # what the set-up reads, the first process notes
    set_guard(run.data.allowed)  # for data sets that the stage opens while it works
    _worker = job, run.data, out, reads, log.of(str(os.getpid()))


def _die_with(parent: Any) -> None:
    """A parent that was killed cannot stop its workers: they watch it."""
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _visit(image_id: str) -> tuple[str, Exception | None, float]:
    assert _worker is not None
    job, data, out, reads, log = _worker
    try:
        image = Image(data, image_id)
        value = job.make([image])[0] if job.batch > 1 else job.make(image)
        log.add([image_id], completed(reads.take(), data, reads.hashes))
        out.write(image_id, value)
        error = None
    except UserError as caught:
        error = caught
    except Exception as caught:  # other exceptions may not survive pickling
        error = RuntimeError(f"{type(caught).__name__}: {caught}")
    return image_id, error, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
