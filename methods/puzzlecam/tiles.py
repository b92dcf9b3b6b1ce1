"""Cutting images into tiles, and putting the maps of tiles together: the puzzle module."""

from __future__ import annotations

from torch import Tensor

from common.base.errors import UserError


def tile(x: Tensor, grid: int = 2) -> Tensor:
    """Cut [B, C, H, W] into grid x grid tiles: [grid^2 B, C, H / grid, W / grid].

    The first B entries are the images' top left tiles, then come the tiles to their right, and so on row by row. The
    paper's four tiles are `grid` 2.

    Raises:
        UserError: `grid` is below 1, or a side is no multiple of it.
    """
    batch, channels, height, width = x.shape
    if grid < 1:
        raise UserError(f"grid is {grid}: an image has 1 tile per side or more.")
    if height % grid or width % grid:
        raise UserError(
            f"{height} x {width} does not divide into {grid} x {grid} tiles: choose sides that are multiples of {grid}."
        )
    rows = x.reshape(batch, channels, grid, height // grid, grid, width // grid)
    return rows.permute(2, 4, 0, 1, 3, 5).reshape(grid**2 * batch, channels, height // grid, width // grid)


def merge(tiles: Tensor, grid: int = 2) -> Tensor:
    """The inverse of `tile`: [grid^2 B, C, h, w] -> [B, C, grid h, grid w].

    Raises:
        UserError: `grid` is below 1, or the number of tiles is no multiple of grid^2.
    """
    count, channels, height, width = tiles.shape
    if grid < 1 or count % grid**2:
        raise UserError(f"{count} tiles do not make images of {grid} x {grid} tiles.")
    laid = tiles.reshape(grid, grid, count // grid**2, channels, height, width)
    return laid.permute(2, 3, 0, 4, 1, 5).reshape(count // grid**2, channels, grid * height, grid * width)


def fitted(x: Tensor, grid: int, stride: int) -> Tensor:
    """The top left of [B, C, H, W] whose sides are multiples of grid x stride, so that each tile has whole cells.

    stride: pixels per cell of the maps. Only then do the cells of image and tiles show the same pixels.

    Raises:
        UserError: a side is below grid x stride.
    """
    height, width = x.shape[-2:]
    least = grid * stride
    if min(height, width) < least:
        raise UserError(
            f"A crop of {height} x {width} pixels is too small for {grid} x {grid} tiles of one cell of {stride} "
            f"pixels: choose a crop of at least {least}, or a smaller grid."
        )
    return x[..., : height // least * least, : width // least * least]
