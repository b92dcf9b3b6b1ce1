"""Region numbers that other programs made: superpixels, proposals."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from common.base.errors import DataError

SUFFIXES = (".png", ".npy", ".npz")


def region_file(folder: Path, image_id: str) -> Path | None:
    """The file of an image's regions, None where there is none."""
    return next((path for suffix in SUFFIXES if (path := folder / f"{image_id}{suffix}").is_file()), None)


def read_regions(file: Path) -> np.ndarray:
    """Region numbers int32 [h, w] of an 8- or 16-bit grey or palette PNG, an .npy file, or an .npz of one array.

    Raises:
        DataError: the file is broken, or holds no whole numbers [h, w] from 0 on.
    """
    try:
        values = _read_png(file) if file.suffix == ".png" else _read_numpy(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, SyntaxError) as error:
        raise DataError(f"{file} cannot be read as region numbers ({error}): make it again.") from error
    if not are_regions(values):
        raise DataError(
            f"{file} holds {values.dtype} {values.shape}; region numbers are whole numbers [h, w] from 0 on."
        )
    return values.astype(np.int32)


def are_regions(values: np.ndarray) -> bool:
    """Whether these are region numbers: whole numbers [h, w] from 0 on."""
    return values.ndim == 2 and np.issubdtype(values.dtype, np.integer) and values.min(initial=0) >= 0


def _read_png(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        if image.mode not in ("L", "P", "I", "I;16"):
            raise ValueError(f"a {image.mode} picture, not one number a pixel")
        return np.asarray(image)


def _read_numpy(file: Path) -> np.ndarray:
    loaded = np.load(file, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded:
        if len(loaded.files) != 1:
            raise ValueError(f"it holds {len(loaded.files)} arrays, {', '.join(loaded.files)}, not one")
        return loaded[loaded.files[0]]
