"""MXNet's `.params` container, read without MXNet.

Little-endian: uint64 0x112, uint64 0, uint64 number of arrays, the arrays, uint64 number of names, the names. An array
is its shape in one of three forms, by age

- uint32 number of dimensions, uint32 each;
- uint32 0xF993FAC8, uint32 number of dimensions, int64 each;
- uint32 0xF993FAC9, int32 0 (dense storage), uint32 number of dimensions, int64 each;

then int32 device type, int32 device id, int32 dtype (0: float32), and the values. A name is uint64 length and UTF-8.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.base.errors import UserError

MAGIC = struct.pack("<QQ", 0x112, 0)
SHAPE_INT64, SHAPE_STORAGE = 0xF993FAC8, 0xF993FAC9
MAX_DIMENSIONS = 32
FLOAT32 = 0


def is_params(file: str | Path) -> bool:
    """Whether `file` begins as such a container; False where it cannot be read."""
    try:
        with Path(file).open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_params(file: str | Path) -> dict[str, Tensor]:
    """Name, as it stands in the file ("arg:conv1a_weight"), -> float32 tensor.

    Raises:
        UserError: the file is not such a container, is truncated or damaged, or holds something but dense float32.
    """
    try:
        content = bytearray(Path(file).read_bytes())  # writable, so that the tensors can share it
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from error
    if not content.startswith(MAGIC):
        raise UserError(f"{file} is no MXNet .params file: give the file as its authors published it.")
    return _Container(content, str(file)).tensors()


class _Container:
    """A position in the file's bytes."""

    def __init__(self, content: bytearray, file: str) -> None:
        self.content, self.file, self.position = content, file, len(MAGIC)

    def tensors(self) -> dict[str, Tensor]:
        arrays = [self.array() for _ in range(self.one("Q"))]
        names = [self.name() for _ in range(self.one("Q"))]
        if len(names) != len(arrays) or len(set(names)) != len(names) or self.position != len(self.content):
            raise UserError(
                f"{self.file} is damaged: {len(arrays)} arrays, {len(set(names))} names, "
                f"{len(self.content) - self.position} bytes left; get it again."
            )
        return dict(zip(names, arrays, strict=True))

    def take(self, length: int) -> int:
        """Where the next `length` bytes begin; they are passed."""
        start = self.position
        if length > len(self.content) - start:
            raise UserError(
                f"{self.file} is truncated or damaged at byte {start} of {len(self.content)}; get it again."
            )
        self.position += length
        return start

    def many(self, kind: str, count: int) -> tuple[Any, ...]:
        form = f"<{count}{kind}"
        return struct.unpack_from(form, self.content, self.take(struct.calcsize(form)))

    def one(self, kind: str) -> Any:
        return self.many(kind, 1)[0]

    def shape(self) -> tuple[int, ...]:
        first = self.one("I")
        if first == SHAPE_STORAGE and self.one("i") != 0:
            raise UserError(f"{self.file} holds a sparse array before byte {self.position}: only dense ones are read.")
        wide = first in (SHAPE_INT64, SHAPE_STORAGE)
        dimensions = self.one("I") if wide else first
        if not 0 < dimensions <= MAX_DIMENSIONS:
            raise UserError(
                f"{self.file} has an array of {dimensions} dimensions at byte {self.position}: is it damaged?"
            )
        shape = self.many("q" if wide else "I", dimensions)
        if min(shape) < 0:
            raise UserError(f"{self.file} has an array of the shape {shape} at byte {self.position}; get it again.")
        return shape

    def array(self) -> Tensor:
        shape = self.shape()
        _device, _number, dtype = self.many("i", 3)
        if dtype != FLOAT32:
            raise UserError(f"{self.file} holds an array of MXNet's dtype {dtype}: only float32 (0) is read.")
        count = math.prod(shape)
        start = self.take(4 * count)
        return torch.from_numpy(np.frombuffer(self.content, "<f4", count, start).reshape(shape))

    def name(self) -> str:
        length = self.one("Q")
        start = self.take(length)
        try:
            return self.content[start : start + length].decode()
        except UnicodeDecodeError as error:
            raise UserError(f"{self.file} has a damaged name at byte {start}; get it again.") from error
