"""What users hand over (lists, frames, sparse matrices, tensors) becomes one array that holds numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core.errors import show
from ..._core.host_arrays import readable
from ..._core.ragged import RaggedTensor
from ..._core.strings import StringTensor, holds_strings
from ..._core.tree import Tree, flatten, map_tree
from .encoding import holds_inputs, no_numbers
from .frames import is_frame, numbers
from .mapped_files import mapping_of, tensor_of_mapped
from .sparse import SparseRows, is_sparse
from .stored import StoredRows, is_stored


def as_array(value: Any, argument: str, takes_strings: Callable[[], bool] = lambda: False) -> Any:
    """Return arrays, tensors, lists, pandas and h5py objects as an array or a tensor, sparse or large ones as rows.

    Args:
        value: What the user gave.
        argument: `'x'`, `'y'` or `'sample_weight'`, or a place in one, `"x['image']"`.
        takes_strings: Tells whether strings, and nothing else that is no number, are welcome.

    Raises:
        TypeError: Text, dates, an object array, or nothing that holds numbers.
        ValueError: No rows, or rows of different lengths.
    """
    if isinstance(value, Tensor):
        array: Any = value.detach()
        if array.layout is not torch.strided:
            array = array.to_dense()
    else:
        array = value if isinstance(value, np.ndarray) else _converted(value, argument, takes_strings)
        if not isinstance(array, Tensor) and array.dtype.kind not in "biufc":
            if not takes_strings():
                raise no_numbers(argument, array)
            array = _strings(array, argument)
    if array.ndim == 0:
        raise ValueError(f"{argument} must be an array with a row for each sample; got {show(value)}.")
    if array.shape[0] == 0:
        raise ValueError(f"{argument} is empty: shape {tuple(array.shape)}.")
    return array


def _strings(array: np.ndarray[Any, Any], argument: str) -> StringTensor:
    try:
        return StringTensor.of(array)
    except TypeError as error:
        raise TypeError(
            f"{argument} must hold strings, or numbers alone; {error} Put a string in the place of what is missing: "
            f"pd.DataFrame(…).fillna('')."
        ) from None


def _converted(value: Any, argument: str, takes_strings: Callable[[], bool]) -> Any:
    if is_sparse(value):
        return SparseRows(value) if holds_inputs(argument) else value.toarray()
    if isinstance(value, StoredRows):
        return value
    if is_stored(value) and not argument.startswith("sample_weight"):
        return StoredRows(value)
    if is_frame(value):
        strings = takes_strings() and holds_strings(np.asarray(value))
        return np.asarray(value) if strings else numbers(value, argument)
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    try:
        if isinstance(value, RaggedTensor):
            raise ValueError(
                "write rows.to_tensor() for rows of different lengths; Embedding(…, mask_zero=True) skips 0."
            )
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], Tensor) and value[0].ndim:
            return torch.stack(list(value)).detach()
        return np.asarray(value)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{argument} must be rows of equal length; {error}") from None


def to_tensor(array: Any, dtype: torch.dtype | None = None) -> Tensor:
    """Return a numpy array as a tensor, without a copy where torch can share it."""
    if isinstance(array, Tensor):
        tensor = array
    else:
        host = np.asarray(array)
        if host.dtype.kind == "u" and host.dtype.itemsize > 1:
            host = host.astype(np.int64)
        mapped = mapping_of(array) is not None
        host = readable(host, as_it_lies=mapped)
        tensor = tensor_of_mapped(host) if mapped else torch.from_numpy(host)
    return tensor if dtype is None else tensor.to(dtype)


def to_numpy(tensor: Tensor) -> np.ndarray[Any, Any]:
    """Return a tensor as a numpy array; bfloat16, which numpy has not, as float32."""
    if isinstance(tensor, StringTensor):
        strings: np.ndarray[Any, Any] = np.asarray(tensor)
        return strings
    host = tensor.detach().cpu()
    return (host.float() if host.dtype == torch.bfloat16 else host).numpy()


def predictions(output: Tree, x: Tree, may_share: bool) -> Any:
    """Return what a model gave as arrays of their own: it may be the caller's input, passed through, or a weight.

    Args:
        output: The output, or a tree of them.
        x: The batch that it was computed from.
        may_share: Whether code of a user's, which may give anything, had a part in it.

    Example:
        >>> predictions({'a': torch.ones(2)}, torch.zeros(2), False)
        {'a': array([1., 1.], dtype=float32)}
    """
    if not isinstance(output, Tensor):
        return map_tree(lambda tensor: predictions(tensor, x, may_share), output)
    array = to_numpy(output)
    passed = may_share or not isinstance(x, Tensor) or output is x or output._is_view() or x.is_inference()
    if passed and output.device.type == "cpu":
        return array.copy() if may_share or _share_memory(output, x) else array
    return array


def _share_memory(output: Tensor, x: Tree) -> bool:
    start = output.untyped_storage().data_ptr()
    return any(start == tensor.untyped_storage().data_ptr() for tensor in flatten(x))


def joined_predictions(outputs: Sequence[Tree], x: Tree, may_share: bool) -> Any:
    """Return the predictions of several batches as one array for each output.

    Args:
        outputs: What the model gave for each batch: a tensor, or trees of one structure.
        x: The last batch.
        may_share: As in `predictions`, for a single batch: several are copied when they are joined.

    Example:
        >>> joined_predictions([[torch.ones(1), torch.zeros(1)], [torch.ones(2), torch.zeros(2)]], None, False)
        [array([1., 1., 1.], dtype=float32), array([0., 0., 0.], dtype=float32)]
    """
    first, *others = outputs
    if not others:
        return predictions(first, x, may_share)
    return map_tree(lambda *tensors: to_numpy(torch.cat(tensors)), first, *others)
