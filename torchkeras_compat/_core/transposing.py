"""Large matrices copied from rows to columns: Keras's kernels are torch's weights turned round."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LARGE = 2**20
"""Elements from which on a matrix is copied by tiles."""
TILE = 512
"""Rows and columns of a tile, which fits a processor's second cache."""
COLLIDING = 256
"""Rows whose distance is a multiple of so many elements fall on each other in a processor's cache …"""
NARROW = 16
"""… so that a tile has only so many columns."""


def copy_into(target: Tensor, source: Tensor) -> Tensor:
    """Copy values, a large matrix that lies turned round tile by tile; returns the target.

    Args:
        target: Where to, written in place.
        source: What, of the same shape.

    Example:
        >>> import torch
        >>> copy_into(torch.zeros(2, 3), torch.arange(6.).view(3, 2).t())
        tensor([[0., 2., 4.],
                [1., 3., 5.]])
    """
    if not _is_turned(target, source):
        return target.copy_(source)
    if target.stride(0) == 1:
        copy_into(target.t(), source.t())
        return target
    columns = NARROW if target.stride(0) % COLLIDING == 0 or source.stride(1) % COLLIDING == 0 else TILE
    # By numpy, in one thread: torch's threads wait for each other, which beside other threads costs more than it gains.
    to, values = target.detach().numpy(), source.detach().numpy()
    for row in range(0, len(to), TILE):
        for column in range(0, to.shape[1], columns):
            tile = slice(row, row + TILE), slice(column, column + columns)
            to[tile] = values[tile]
    torch.autograd.graph.increment_version(target)  # as what torch writes does
    return target


def _is_turned(target: Tensor, source: Tensor) -> bool:
    """Tell whether both are large matrices on the processor, one stored by rows and the other by columns."""
    if target.dim() != 2 or target.numel() < LARGE or target.shape != source.shape:
        return False
    if not _numpy_has(target) or not _numpy_has(source):
        return False
    steps = target.stride(), source.stride()
    return any(one[0] == 1 < one[1] and other[1] == 1 < other[0] for one, other in (steps, steps[::-1]))


def _numpy_has(value: Tensor) -> bool:
    """Tell whether a tensor is an array of numpy's, too."""
    return value.device.type == "cpu" and type(value) in (Tensor, nn.Parameter) and value.dtype != torch.bfloat16
