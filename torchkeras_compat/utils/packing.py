"""What a batch of data is packed into, and taken apart again in a user's `train_step`."""

from __future__ import annotations

from typing import Any

from .._core.errors import show


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return `(x, y, sample_weight)` of what `train_step` gets, `None` for what is not there.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Raises:
        ValueError: A tuple of another length.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"data must be x, (x,), (x, y) or (x, y, sample_weight); got {show(data)}.")
    return (*data, None, None)[:3]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return data as `train_step` gets them: without what is `None`, and a lone `x` that is no tuple as it is.

    Args:
        x: Inputs.
        y: Targets.
        sample_weight: A weight for each sample.

    Example:
        >>> pack_x_y_sample_weight(1), pack_x_y_sample_weight((1, 2)), pack_x_y_sample_weight(1, 2)
        (1, ((1, 2),), (1, 2))
    """
    if y is None:
        return (x,) if isinstance(x, tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
