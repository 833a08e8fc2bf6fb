"""What users hand over (lists, frames, sparse matrices, tensors) becomes one array that holds numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core.errors import show
from ..._core.shapes import Shape, compatible
from .encoding import no_numbers
from .frames import is_frame, numbers
from .sparse import SparseRows, is_sparse


def as_array(value: Any, argument: str, shape: Shape | None = None, rows: int | None = None) -> Any:
    """Return arrays, tensors, lists, pandas and h5py objects as a numpy array or a tensor, and sparse `x` as rows.

    Args:
        value: What the user gave.
        argument: `'x'`, `'y'` or `'sample_weight'`.
        shape: What one array of it must look like, the batch first, where that is known.
        rows: How many samples there are, where that is known.

    Raises:
        TypeError: Text, dates, an object array, or nothing that holds numbers.
        ValueError: No rows, rows of different lengths, or several arrays.
    """
    if isinstance(value, Tensor):
        array: Any = value.detach()
        if array.layout is not torch.strided:
            array = array.to_dense()
    else:
        array = value if isinstance(value, np.ndarray) else _converted(value, argument, shape, rows)
        if not isinstance(array, Tensor) and array.dtype.kind not in "biufc":
            raise no_numbers(argument, array)
    if array.ndim == 0:
        raise ValueError(f"{argument} must be an array with a row for each sample; got {show(value)}.")
    if array.shape[0] == 0:
        raise ValueError(f"{argument} is empty: shape {tuple(array.shape)}.")
    return array


def _converted(value: Any, argument: str, shape: Shape | None, rows: int | None) -> Any:
    if not is_sparse(value):  # one of its formats is a dictionary
        value = _single(value, argument, shape, rows)
    if isinstance(value, Tensor):
        return value.detach()
    if is_sparse(value):
        return SparseRows(value) if argument == "x" else value.toarray()
    if is_frame(value):
        return numbers(value, argument)
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{argument} must be rows of equal length; {error}") from None


def _single(value: Any, argument: str, shape: Shape | None, rows: int | None) -> Any:
    """Return the array inside a list or a dictionary of one array (Keras's spellings for models with one input)."""
    if isinstance(value, dict):
        if len(value) != 1:
            raise ValueError(
                f"{argument}: a Sequential has one input and one output; got the dictionary keys {list(value)}."
            )
        return next(iter(value.values()))
    if isinstance(value, (list, tuple)) and value and hasattr(value[0], "ndim") and value[0].ndim > 0:
        if len(value) == 1:
            return value[0]
        _expect_samples(value, argument, shape, rows)
        if isinstance(value[0], Tensor):
            return torch.stack(list(value))
    return value


def _expect_samples(arrays: Sequence[Any], argument: str, shape: Shape | None, rows: int | None) -> None:
    """Raise when a list holds the arrays of several inputs (or outputs), and not the samples of one."""
    shapes = [tuple(np.shape(a)) for a in arrays]
    whole = shape is not None and all(compatible((None, *shape[1:]), s) for s in shapes)
    as_long = rows not in (None, len(arrays)) and all(s and s[0] == rows for s in shapes)
    if whole or as_long or len(set(shapes)) > 1:
        place = "output" if argument == "y" else "input"
        expected = "" if shape is None or argument != "x" else f" of shape {shape}"
        raise ValueError(
            f"{argument}: got a list of {len(arrays)} arrays of shapes {shapes[:3]}; a Sequential has one {place}"
            f"{expected}."
        )


def to_tensor(array: Any, dtype: torch.dtype | None = None) -> Tensor:
    """Return a numpy array as a tensor, without a copy where torch can share it."""
    if isinstance(array, Tensor):
        tensor = array
    else:
        plain = np.asarray(array)
        if plain.dtype.kind == "u" and plain.dtype.itemsize > 1:
            plain = plain.astype(np.int64)
        if not plain.flags.writeable or any(s < 0 for s in plain.strides) or not plain.dtype.isnative:
            plain = np.array(plain, dtype=plain.dtype.newbyteorder("="))
        tensor = torch.from_numpy(plain)
    return tensor if dtype is None else tensor.to(dtype)


def to_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    """Return a tensor as a numpy array; bfloat16, which numpy has not, as float32."""
    host = tensor.detach().cpu()
    return (host.float() if host.dtype == torch.bfloat16 else host).numpy()


def predictions(output: Tensor, x: Tensor, may_share: bool) -> np.ndarray[Any, Any]:
    """Return what a model gave as an array of its own: it may be the caller's input, passed through, or a weight.

    Args:
        output: The output.
        x: The batch that it was computed from.
        may_share: Whether code of a user's, which may give anything, had a part in it.
    """
    array = to_numpy(output)
    passed = may_share or output is x or output._is_view() or x.is_inference()
    if passed and output.device.type == "cpu":
        shares = may_share or output.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
        return array.copy() if shares else array
    return array
