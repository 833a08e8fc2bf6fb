"""Shapes found by running a function on shapes alone, for two sizes of the axes that are not known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor

_MOST_SIZES = 16  # eight axes, with paddings at both ends
_MANY = (64, 65)  # an index may ask for more rows
_MISFITS = (RuntimeError, ValueError, TypeError, IndexError)


def may_be_sizes(value: Tensor) -> bool:
    """Tell whether a tensor may say sizes or paddings, whose numbers shapes follow from."""
    return value.ndim <= 2 and value.numel() <= _MOST_SIZES and not value.is_floating_point()


def sizes_in(value: Any) -> set[int]:
    """Return the integers and the lengths of axes in a tree of anything."""
    if isinstance(value, (list, tuple)):
        return {n for item in value for n in sizes_in(item)}
    if isinstance(value, dict):
        return sizes_in(list(value.values()))
    if isinstance(value, int):
        return {int(value)} if 0 < value < 1 << 16 else set()
    shape = getattr(value, "shape", None)
    return {n for n in shape if n} if isinstance(shape, tuple) else set()


def on_two_sizes(*runs: Callable[[int], Any], sizes: Callable[[], Iterable[int]]) -> tuple[Any, Any]:
    """Return what a function makes of tensors, for two sizes of the axes that are not known.

    Where constants leave no choice, as in `x + ones((5, 1))`, the sizes that they have are tried.

    Args:
        runs: Calls the function with axes of a size; others are tried where that fails with every size.
        sizes: Returns which sizes may fit where 2 and 3 do not.

    Raises:
        Exception: What the function raised for the first size, where none fits.
    """
    try:
        return runs[0](2), runs[0](3)
    except _MISFITS:
        results: list[Any] = []
        for run in runs:
            for size in (2, 3, *sorted(set(sizes()) - {1, 2, 3}), *_MANY, 1):
                with contextlib.suppress(*_MISFITS):
                    results.append(run(size))
                if len(results) == 2:
                    return results[0], results[1]
            if results:
                return results[0], results[0]
        raise


def without_numbers(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return what stands for a function that makes tensors where shapes alone are asked for, on torch's meta device.

    Args:
        make: The function.
    """

    def on_shapes(*args: Any, **kwargs: Any) -> Tensor:
        return make(*args, **kwargs).to("meta")

    return on_shapes
