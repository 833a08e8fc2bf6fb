"""Images moved, turned, sheared and zoomed: a whole batch at once, with the numbers of `scipy.ndimage`.

Coordinates are computed in float64 and in scipy's order of operations, so that a pixel lies inside or outside the image
as it does there.  Orders 0 and 1 with Keras's four fill modes need only torch; splines need scipy.  torch looks pixels
up, on several processors; all else is numpy's, on one: short operations on several wait for each other for longer than
they take where something else runs, as a training does beside this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from ..._core.errors import choice

FILL_MODES = ("nearest", "constant", "reflect", "wrap")
_SCIPY_MODES = ("mirror", "grid-mirror", "grid-constant", "grid-wrap")
MOVES = {"theta": 0, "tx": 0, "ty": 0, "shear": 0, "zx": 1, "zy": 1}  # and where nothing moves
_CHUNK = 5 * 2**15  # values that each processor has in float64 at a time
_CACHED = 2**16  # values that stay near the processor from one operation to the next
Array = NDArray[Any]


def transform_matrices(moves: Array, rows: int, columns: int, swap: bool) -> list[Array | None]:
    """Return the 2×3 matrices that lead from a pixel of the result to one of the source; `None` for no change.

    Args:
        moves: For each image a rotation in degrees, a shift along the first axis and one along the second, a shear in
            degrees, and a zoom along either axis. Shape `(n, 6)`.
        rows: Size of the first axis.
        columns: Size of the second axis.
        swap: Whether the two axes change places in the matrix, as Keras 2.15 does where columns come after rows.
    """
    moves = np.asarray(moves, np.float64)
    theta, tx, ty, shear, zx, zy = moves.T
    steps = np.empty((6, len(theta), 3, 3))
    steps[:] = np.eye(3)
    turned, shifted, sheared, zoomed, there, back = steps
    angle = np.deg2rad(theta)
    turned[:, 0, 0] = turned[:, 1, 1] = np.cos(angle)
    turned[:, 0, 1], turned[:, 1, 0] = -np.sin(angle), np.sin(angle)
    shifted[:, 0, 2], shifted[:, 1, 2] = tx, ty
    angle = np.deg2rad(shear)
    sheared[:, 0, 1], sheared[:, 1, 1] = -np.sin(angle), np.cos(angle)
    zoomed[:, 0, 0], zoomed[:, 1, 1] = zx, zy
    there[:, :2, 2] = middle = np.array([rows, columns]) / 2 - 0.5
    back[:, :2, 2] = -middle
    matrices = there @ (turned @ shifted @ sheared @ zoomed) @ back
    if swap:
        matrices = matrices[:, [1, 0, 2]][:, :, [1, 0, 2]]
    moved = (moves != list(MOVES.values())).any(1)
    return [matrix if changes else None for changes, matrix in zip(moved, matrices[:, :2])]


def warp(images: Array, matrices: Sequence[Array | None], fill_mode: str, cval: float, order: int) -> Array:
    """Return images of which each pixel is looked up where its matrix says.

    Args:
        images: Shape `(n, rows, columns, channels)`.
        matrices: One for each image; `None` leaves it as it is.
        fill_mode: What lies outside an image.
        cval: The value there with `'constant'`.
        order: 0 for the nearest pixel, 1 for linear interpolation, up to 5 for splines.
    """
    fill_mode = choice("apply_affine_transform", "fill_mode", fill_mode, (*FILL_MODES, *_SCIPY_MODES))
    images = np.asarray(images, images.dtype.newbyteorder("="))  # the order of bytes that torch has
    moved = [i for i, matrix in enumerate(matrices) if matrix is not None]
    shifts = _shifts(matrices) if order == 1 and images.dtype.kind == "f" and fill_mode in _PADDING else {}
    if len(shifts) == len(images) and images.size:  # the usual case
        return _shifted(images, np.array(list(shifts.values())), fill_mode, cval)
    result = np.empty_like(images) if len(moved) == len(images) else np.array(images)
    if not moved or not result.size:
        return result
    if order > 1 or fill_mode in _SCIPY_MODES:
        for i in moved:
            result[i] = _by_scipy(images[i], matrices[i], fill_mode, cval, order)
        return result
    if shifts:
        some = list(shifts)
        result[some] = _shifted(images[some], np.array(list(shifts.values())), fill_mode, cval)
        moved = [i for i in moved if i not in shifts]
    everything = len(moved) == len(images)
    step = max(1, _CHUNK // result[0].size) * torch.get_num_threads()
    for start in range(0, len(moved), step):
        part = moved[start : start + step]
        where = slice(start, start + step) if everything else part  # numpy copies what a list picks
        stacked = np.stack([m for i in part if (m := matrices[i]) is not None])
        values = _rounded(_warp(images[where], stacked, fill_mode, cval, order).numpy(), result.dtype)
        for channel in range(images.shape[-1]):  # twice as fast as channels first into channels last at once
            result[where, ..., channel] = values[..., channel]
    return result


def _shifts(matrices: Sequence[Array | None]) -> dict[int, Array]:
    """Return by how much images are moved along each axis, of those that are not changed otherwise."""
    return {
        i: m[:, 2]
        for i, m in enumerate(matrices)
        if m is not None and m[0, 0] == m[1, 1] == 1 and m[0, 1] == m[1, 0] == 0
    }


_PADDING: dict[str, Any] = {"nearest": "edge", "constant": "edge", "reflect": "symmetric"}  # what lies around an image


def _shifted(images: Array, shifts: Array, fill_mode: str, cval: float) -> Array:
    """Return images moved: whole pixels are cut out of wider images, the rest is interpolated along each axis."""
    sizes = images.shape[1:3]
    whole = np.floor(shifts).astype(np.intp)
    rest = (shifts - whole).astype(images.dtype)[:, :, None, None, None]
    if fill_mode == "reflect":
        whole = (whole + sizes) % (2 * np.array(sizes)) - sizes  # images repeat
    else:
        whole = np.clip(whole, np.negative(sizes) - 1, sizes)
    result = np.empty_like(images)
    for part in parts(images):
        cut = _cut(images[part], whole[part], _PADDING[fill_mode])
        moved = _between(cut[:, :-1], cut[:, 1:], rest[part, 0])
        _between(moved[:, :, :-1], moved[:, :, 1:], rest[part, 1], result[part])
    if fill_mode == "constant":
        for axis, size in enumerate(sizes):
            where = np.arange(size) + shifts[:, axis, None]
            result.swapaxes(1, axis + 1)[(where < 0) | (where > size - 1)] = cval
    return result


def parts(images: Array) -> Iterator[slice]:
    """Yield which images to change at a time, so that they stay near the processor."""
    step = max(1, _CACHED // max(1, int(np.prod(images.shape[1:]))))
    for start in range(0, len(images), step):
        yield slice(start, start + step)


def _cut(images: Array, whole: Array, padding: Any) -> Array:
    """Return images moved by whole pixels, one more of them along each axis."""
    rows, columns = images.shape[1] + 1, images.shape[2] + 1
    before, after = np.maximum(-whole.min(0), 0), np.maximum(whole.max(0) + 1, 0)
    margins = list(zip(before.tolist(), after.tolist(), strict=True))
    wide = _with_edges(images, *margins) if padding == "edge" else np.pad(images, ((0, 0), *margins, (0, 0)), padding)
    cut = np.empty((len(images), rows, columns, images.shape[3]), images.dtype)
    for image, source, (row, column) in zip(cut, wide, (whole + before).tolist(), strict=True):
        image[:] = source[row : row + rows, column : column + columns]
    return cut


def _with_edges(images: Array, above_below: tuple[int, int], left_right: tuple[int, int]) -> Array:
    """Return images whose outermost pixels go on by so many rows and columns; `np.pad` takes twice as long."""
    (n, rows, columns, channels), (above, below), (left, right) = images.shape, above_below, left_right
    wide = np.empty((n, above + rows + below, left + columns + right, channels), images.dtype)
    middle = wide[:, above : above + rows]
    middle[:, :, left : left + columns] = images
    middle[:, :, :left] = images[:, :, :1]
    middle[:, :, left + columns :] = images[:, :, -1:]
    wide[:, :above] = middle[:, :1]
    wide[:, above + rows :] = middle[:, -1:]
    return wide


def _between(low: Array, high: Array, part: Array, out: Array | None = None) -> Array:
    result = np.subtract(high, low, out=out)
    result *= part
    result += low
    return result


def _by_scipy(image: Array, matrix: Array | None, fill_mode: str, cval: float, order: int) -> Array:
    try:
        from scipy import ndimage
    except ImportError as error:
        raise ImportError(
            f"interpolation_order={order} with fill_mode={fill_mode!r} needs scipy: "
            "pip install torchkeras_compat[image]"
        ) from error
    if matrix is None:
        return image
    options = {"order": order, "mode": fill_mode, "cval": cval}
    channels = [
        ndimage.affine_transform(image[..., channel], matrix[:, :2], matrix[:, 2], **options)
        for channel in range(image.shape[-1])
    ]
    return np.stack(channels, axis=-1)


@torch.no_grad()
def _warp(images: Array, matrices: Array, fill_mode: str, cval: float, order: int) -> torch.Tensor:
    source = torch.from_numpy(np.array(images, np.float64, order="C"))
    matrices, sizes = matrices[:, ::-1], (images.shape[2], images.shape[1])  # grid_sample has the columns first
    last = torch.tensor(sizes, dtype=torch.float64) - 1
    to_grid = 2 / last.clamp(1)
    if order == 1 and fill_mode == "nearest":  # what grid_sample does outside an image by itself
        scaled = matrices * to_grid.numpy()[:, None] - [0, 0, 1]
        return _linear(source, _coordinates(scaled, sizes, exact=False))
    where = _coordinates(matrices, sizes)
    outside = ((where < 0) | (where > last)).any(-1) if fill_mode == "constant" else None
    for axis, size in enumerate(sizes):
        _bring_inside(where[..., axis], size, fill_mode)
    result = _nearest_pixel(source, where) if order == 0 else _linear(source, where.mul_(to_grid).sub_(1))
    if outside is not None:
        result[outside] = cval
    return result


def _coordinates(matrices: Array, sizes: tuple[int, int], exact: bool = True) -> torch.Tensor:
    """Return where each pixel of the result is looked up, columns and rows: `(n, rows, columns, 2)`.

    Args:
        matrices: One for each image, their rows and `sizes` in the order of the last axis.
        sizes: Numbers of columns and rows.
        exact: Whether sums are rounded in scipy's order, which decides on which side of an edge a pixel lies.
    """
    by_row, by_column, shift = np.moveaxis(matrices, -1, 0)
    columns, rows = (np.arange(size, dtype=np.float64) for size in sizes)
    where = np.empty((len(matrices), len(rows), len(columns), 2))
    for axis in range(2):
        along_rows, along_columns = by_row[:, axis, None] * rows, by_column[:, axis, None] * columns
        if not exact:
            along_columns += shift[:, axis, None]
        np.add(along_rows[:, :, None], along_columns[:, None], out=where[..., axis])
        if exact:
            where[..., axis] += shift[:, axis, None, None]
    return torch.from_numpy(where)


def _bring_inside(where: torch.Tensor, size: int, fill_mode: str) -> None:
    """Bring coordinates into the image by the rule of a fill mode, as scipy's `map_coordinate` does."""
    last = size - 1
    if fill_mode == "reflect":
        where.remainder_(2 * size)  # d c b a | a b c d | d c b a
        torch.where(where > size - 0.5, 2 * size - 1 - where, where, out=where)
    elif fill_mode == "wrap" and last:
        below, above = where < 0, where > last
        torch.where(below, where + last * ((-where / last).trunc_() + 1), where, out=where)
        torch.where(above, where - last * (where / last).trunc_(), where, out=where)
    where.clamp_(0, last)


def _nearest_pixel(images: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    last = torch.tensor([images.shape[2], images.shape[1]]) - 1
    column, row = torch.minimum((where + 0.5).floor_().long(), last).unbind(-1)
    return images[torch.arange(len(images))[:, None, None], row, column]


def _linear(images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    moved = F.grid_sample(images.permute(0, 3, 1, 2), grid, padding_mode="border", align_corners=True)
    return moved.permute(0, 2, 3, 1)


def _rounded(values: Array, dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        return values
    limits = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    whole: Array = np.clip(np.floor(np.abs(values) + 0.5) * np.sign(values), *limits)  # scipy's way; a cast would cut
    return whole
