"""`tf.ragged`, and what functions of tensors make of rows of different lengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from .._core import settings
from .._core.ragged import RaggedTensor, joined_rows
from .._core.strings import StringType, is_string_type
from .._core.user_tensors import hand_out

# Functions that make a value of each value.
BY_VALUE = frozenset(
    "cast identity abs negative sign square sqrt exp log log1p add subtract multiply divide floordiv mod pow maximum "
    "minimum equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not sigmoid tanh "
    "relu round floor ceil one_hot zeros_like ones_like clip_by_value".split()
)


def holds_rows(arguments: Mapping[str, Any]) -> bool:
    """Tell whether there is a ragged tensor among the arguments of a call, or in a list there.

    Args:
        arguments: The arguments by name.
    """
    return any(
        isinstance(value, RaggedTensor) or (type(value) is list and any(isinstance(v, RaggedTensor) for v in value))
        for value in arguments.values()
    )


def of_rows(name: str, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Return what a function of tensors gives for ragged ones.

    Args:
        name: Its name in `tensorflow`.
        function: The function, of arguments by name.
        arguments: The arguments.

    Raises:
        TypeError: It takes none.
    """
    word = name.rpartition(".")[2]
    if word in BY_VALUE:
        first = next(value for value in arguments.values() if isinstance(value, RaggedTensor))
        flat = {n: v.flat_values if isinstance(v, RaggedTensor) else v for n, v in arguments.items()}
        return first.with_flat_values(function(**flat))
    if word.startswith("reduce_"):
        return _reduced(function, **arguments)
    if word == "concat":
        return _concatenated(**arguments)
    raise TypeError(f"tf.{name}: rows of different lengths are not taken; write rows.to_tensor() first.")


def _reduced(function: Callable[..., Any], x: RaggedTensor, axis: Any = None, keepdims: bool = False) -> Any:
    axes = 1 + x.ragged_rank + x.flat_values.dim() - 1
    if axis is None:
        return function(x=x.flat_values)
    place = int(axis) % axes
    if place > 1:
        inside = function(x=x.values, axis=place - 1, keepdims=keepdims)
        return RaggedTensor(inside, x.row_splits)
    if place == 0 or isinstance(x.values, RaggedTensor):
        raise TypeError(f"tf.reduce: axis={axis} of ragged tensors is not reduced; write rows.to_tensor() first.")
    return hand_out(torch.stack([torch.as_tensor(function(x=row, axis=0, keepdims=keepdims)) for row in x]))


def _concatenated(values: Any, axis: Any) -> RaggedTensor:
    rows = [v if isinstance(v, RaggedTensor) else RaggedTensor.from_tensor(v) for v in values]
    if int(axis) == 0:
        return joined_rows([row for one in rows for row in one])
    return joined_rows([torch.cat(parts) for parts in zip(*rows, strict=True)])


def constant(pylist: Any, dtype: Any = None, **_: Any) -> Any:
    """Return lists of lists as a ragged tensor.

    Args:
        pylist: The lists.
        dtype: The type.
    """
    kind = None if dtype is None else StringType() if is_string_type(dtype) else settings.torch_dtype(dtype)
    made = RaggedTensor.of(pylist, kind)
    return made if isinstance(made, RaggedTensor) else hand_out(made)


def stack(values: Any, axis: int = 0, name: str | None = None) -> RaggedTensor:
    """Return tensors of different lengths as the rows of one.

    Args:
        values: The tensors.
        axis: 0.
        name: Accepted.

    Raises:
        TypeError: Another axis.
    """
    if axis != 0:
        raise TypeError(f"tf.ragged.stack(axis={axis}): along axis 0 alone.")
    return joined_rows([value if isinstance(value, RaggedTensor) else torch.as_tensor(value) for value in values])


def map_flat_values(op: Callable[..., Any], *args: Any, **kwargs: Any) -> RaggedTensor:
    """Return the rows of what a function makes of the values in them.

    Args:
        op: The function.
        args: Its arguments; of ragged ones it gets the values.
        kwargs: Those with names, likewise.
    """
    first = next(value for value in (*args, *kwargs.values()) if isinstance(value, RaggedTensor))

    def flat(value: Any) -> Any:
        return value.flat_values if isinstance(value, RaggedTensor) else value

    return first.with_flat_values(op(*map(flat, args), **{name: flat(value) for name, value in kwargs.items()}))


RAGGED: dict[str, Any] = {
    "constant": constant,
    "stack": stack,
    "map_flat_values": map_flat_values,
    "RaggedTensor": RaggedTensor,
}
