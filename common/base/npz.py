"""Compressed npz files."""

from __future__ import annotations

import zipfile
from typing import Any, BinaryIO

import numpy as np


def write_npz(stream: BinaryIO, **arrays: Any) -> None:
    """Write a compressed npz as `np.savez_compressed` does, at zlib's fastest level.

    Label maps and scores then take a few percent more room than at numpy's level 6, and a fraction of its time.
    """
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
