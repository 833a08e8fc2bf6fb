"""Class vectors as matrices, and normalised arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core.border import translated
from .._core.errors import show


@translated("to_categorical")
def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> NDArray[Any]:
    """Turn class indices into one-hot rows.

    Args:
        y: Class indices from 0 on, of any shape; a last axis of length 1 is dropped.
        num_classes: Length of a row; the largest index + 1 when `None`.
        dtype: Type of the result.

    Shape:
        `(...)` or `(..., 1)` → `(..., num_classes)`

    Raises:
        ValueError: An index that is negative or does not fit `num_classes`.

    Example:
        >>> to_categorical([0, 2, 1])
        array([[1., 0., 0.],
               [0., 0., 1.],
               [0., 1., 0.]], dtype=float32)
    """
    shape, flat, count = _class_indices("to_categorical", y, num_classes)
    rows = np.zeros((len(flat), count), dtype=dtype)
    rows[np.arange(len(flat)), flat] = 1
    return rows.reshape((*shape, count))


def to_ordinal(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> NDArray[Any]:
    """Turn ranks into rows whose first `rank` entries are one, for ordinal regression.

    Args:
        y: Ranks from 0 on, of any shape; a last axis of length 1 is dropped.
        num_classes: Number of ranks; the largest + 1 when `None`.
        dtype: Type of the result.

    Shape:
        `(...)` or `(..., 1)` → `(..., num_classes - 1)`

    Raises:
        ValueError: A rank that is negative or does not fit `num_classes`.

    Example:
        >>> to_ordinal([0, 2, 1])
        array([[0., 0.],
               [1., 1.],
               [1., 0.]], dtype=float32)
    """
    shape, flat, count = _class_indices("to_ordinal", y, num_classes)
    rows = (np.arange(count - 1) < flat[:, None]).astype(dtype)
    return rows.reshape((*shape, count - 1))


def normalize(x: Any, axis: int = -1, order: Any = 2) -> NDArray[Any]:
    """Divide an array by its norm along an axis; what has norm zero stays.

    Args:
        x: The array.
        axis: The axis along which the norm is taken.
        order: Order of the norm, as `numpy.linalg.norm` takes it.

    Shape:
        Unchanged, but a vector becomes one row, as in Keras.

    Example:
        >>> normalize([[3.0, 4.0], [0.0, 0.0]])
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    x = _as_numpy(x)
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    result: NDArray[Any] = x / np.expand_dims(norm, axis)
    return result


def _class_indices(owner: str, y: Any, num_classes: int | None) -> tuple[tuple[int, ...], NDArray[np.int64], int]:
    indices = _as_numpy(y).astype(np.int64)
    shape = indices.shape[:-1] if indices.ndim > 1 and indices.shape[-1] == 1 else indices.shape
    flat = indices.reshape(-1)
    if not num_classes and not len(flat):
        raise ValueError(f"{owner}(y={show(y)}): y is empty; give num_classes.")
    count = int(num_classes or flat.max() + 1)
    if len(flat) and not 0 <= flat.min() <= flat.max() < count:
        wrong = flat.min() if flat.min() < 0 else flat.max()
        raise ValueError(f"{owner}(num_classes={num_classes}): y must hold indices from 0 to {count - 1}; got {wrong}.")
    return shape, flat, count


def _as_numpy(x: Any) -> NDArray[Any]:
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
