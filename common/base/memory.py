"""What glibc does with freed memory on a CPU: training keeps it for speed, inference on photos gives it back."""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt


def keep_freed_memory() -> None:
    """Let glibc reuse large buffers instead of giving them back to the kernel after every layer.

    A network's activations are larger than glibc's default threshold of 32 MB, so each forward pass would map and
    fault in the same pages again: that takes half the time of a training step. Results do not change; the process keeps
    its largest size. Nothing happens with another C library.
    """
    _mallopt(mmap=1 << 30, trim=2**31 - 1)


def give_back_freed_memory() -> None:
    """Give all freed memory back to the kernel, and from now on every buffer of 4 MB and more as soon as it is freed.

    By default those up to 32 MB may stay in the heap, in gaps that the next layer's map does not fit into: with photos
    of ever other sizes and scales that costs a large network up to 200 MB (`python -m benchmarks seam_photo`). Small
    networks would only become slower. Results do not change.
    """
    _mallopt(mmap=1 << 22, trim=1 << 22)
    if _glibc():
        ctypes.CDLL(None).malloc_trim(0)


def _mallopt(mmap: int, trim: int) -> None:
    if _glibc():
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, mmap)
        libc.mallopt(M_TRIM_THRESHOLD, trim)


def _glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
