"""Indices that no row belongs to: an error where they can be read, NaN where only the device knows them.

A kernel of CUDA that meets one stops the device for the whole process.  So indices are looked at on the host as they
come in; what is computed on the device, or handed over there, is not read back: its lookups give NaN, as a loss shows.
"""

from __future__ import annotations

from torch import Tensor

from . import devices


def guarded(indices: Tensor, size: int, lowest: int = 0) -> tuple[Tensor, Tensor | None]:
    """Return indices that any kernel can look up, and where others have taken the place of wrong ones.

    Args:
        indices: Integers.
        size: How many rows there are.
        lowest: The lowest index; `-size` where rows are counted from the end too.

    Returns:
        The indices, and which were out of range; `None` where the kernel itself raises, as on the CPU.
    """
    if not devices.on_cuda(indices):
        return indices, None
    outside = (indices < lowest) | (indices >= size)
    return indices.masked_fill(outside, 0), outside


def marked(values: Tensor, outside: Tensor | None) -> Tensor:
    """Return what was looked up, NaN where the index was out of range (0 in types that have no NaN).

    Args:
        values: The rows, a value or more for each index.
        outside: What `guarded` returned.
    """
    if outside is None:
        return values
    wrong = outside.reshape(*outside.shape, *[1] * (values.dim() - outside.dim()))
    return values.masked_fill(wrong, float("nan") if values.is_floating_point() else 0)


def out_of_range(owner: object, indices: Tensor, size: int, argument: str) -> str:
    """Return the message for indices of which some are out of range.

    Args:
        owner: The layer.
        indices: All of them.
        size: How many rows there are.
        argument: What the layer calls that number.
    """
    wrong = indices[(indices < 0) | (indices >= size)]
    first = int(wrong[0])
    remedy = "indices count from 0" if first < 0 else f"write {argument}={int(wrong.max()) + 1} or more"
    return f"{owner}: index {first} is out of range for {argument}={size}; {remedy}."


def expect_in_range(owner: object, indices: Tensor, size: int, argument: str) -> None:
    """Raise where an index is out of range; the device of `indices` is read once.

    Args:
        owner: The layer.
        indices: Integers.
        size: How many rows there are.
        argument: What the layer calls that number.

    Raises:
        ValueError: One is out of range.
    """
    if indices.numel() and bool(((indices < 0) | (indices >= size)).any()):
        raise ValueError(out_of_range(owner, indices, size, argument))
