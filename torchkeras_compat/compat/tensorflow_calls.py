"""How functions of tensors stand under their names in `tensorflow`, by the signatures of TensorFlow 2.15.

They take numbers, lists, arrays, tensors and symbolic tensors. Arrays keep their type, as in TensorFlow; what is
written out in Python becomes float32 or int32, or takes the type of the tensor beside it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from .. import backend as K
from .._core import settings
from .._core.host_arrays import readable
from .._core.shape_runs import without_numbers
from .._core.strings import StringTensor, is_string_type
from .._core.symbolic import SymbolicTensor, is_symbolic, lifted
from .tensorflow_ragged import holds_rows, of_rows

Fn = TypeVar("Fn", bound=Callable[..., Any])

FUNCTIONS: dict[str, Any] = {}
_WIDE = {np.dtype("float64"): torch.float32, np.dtype("int64"): torch.int32}  # only by Python's habit
# Other names of arguments: those of TensorFlow 1, and what its signatures call the one tensor of a function.
_ALSO = {"keep_dims": "keepdims", "reduction_indices": "axis", "dim": "axis", "dimension": "axis"}
_ALSO |= dict.fromkeys("features input input_tensor logits tensor values t params value a".split(), "x")


def tensor(value: Any, dtype: Any = None, beside: Tensor | None = None) -> Any:
    """Return a value as a tensor.

    Args:
        value: A number, list, array, tensor or symbolic tensor.
        dtype: The type; that of the value if `None`.
        beside: A tensor whose device, and for what Python wrote whose type, is taken.

    Example:
        >>> tensor([1, 2]).dtype, tensor(np.ones(2)).dtype, tensor(1.0).dtype
        (torch.int32, torch.float64, torch.float32)
    """
    if is_string_type(dtype):
        return StringTensor.of(value)
    wanted = None if dtype is None else settings.torch_dtype(dtype)
    if isinstance(value, SymbolicTensor):
        return value if wanted is None else K.cast(value, settings.dtype_name(wanted))  # type: ignore[arg-type]
    if isinstance(value, Tensor):
        return value if wanted is None else value.to(wanted)
    if isinstance(value, (list, tuple)) and _holds_tensors(value):
        parts = [tensor(v, dtype, beside) for v in value]
        if any(isinstance(part, SymbolicTensor) for part in parts):
            return K.stack(parts)
        return torch.stack([part.to(torch.result_type(part, parts[0])) for part in parts])
    array = np.asarray(value)
    if array.dtype.kind in "OUS":
        return StringTensor.of(array).to(settings.default_device() if beside is None else beside.device)
    if wanted is None and not hasattr(value, "dtype"):
        natural = _WIDE.get(array.dtype)
        like = None if isinstance(beside, StringTensor) else beside
        fits = like is not None and (like.is_floating_point() or array.dtype.kind != "f")
        wanted = like.dtype if fits and like is not None else natural
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype("int64")
    made = torch.as_tensor(readable(np.array(array)))
    return made.to(settings.default_device() if beside is None else beside.device, wanted)


def of_sizes(path: str, make: Callable[..., Any]) -> Callable[..., Any]:
    """Enter a function that makes a tensor; of symbolic sizes, or a symbolic value, it is made later.

    Args:
        path: Its name in `tensorflow`.
        make: The function.
    """
    make._name_in_graphs, make._on_shapes = path, without_numbers(make)  # type: ignore[attr-defined]
    FUNCTIONS[path] = lifted(make)
    return FUNCTIONS[path]  # type: ignore[no-any-return]


def are_known(*values: Any) -> bool:
    """Tell whether values can be looked at: symbolic tensors, and those that stand for shapes alone, have none.

    Args:
        values: Tensors or anything else.
    """
    return not is_symbolic(values) and not any(isinstance(v, Tensor) and v.device.type == "meta" for v in values)


def _holds_tensors(values: Sequence[Any]) -> bool:
    return any(
        _holds_tensors(v) if isinstance(v, (list, tuple)) else isinstance(v, (Tensor, SymbolicTensor)) for v in values
    )


def _on(place: str | None, operand: Any) -> Any:
    """Return an operand, where others stand for their shapes alone without its numbers, too."""
    return operand if place is None or not isinstance(operand, Tensor) else operand.to(place)


def function(paths: str, also: Mapping[str, str] = MappingProxyType({})) -> Callable[[Fn], Fn]:
    """Enter a function under its names in `tensorflow`, such as `'square math.square'`.

    Parameters annotated `Tensor` or `Sequence[Tensor]` take whatever `tensor` does; `name` is accepted.

    Args:
        paths: The names.
        also: Other names of arguments, such as those of TensorFlow 1.
    """
    names, other_names = paths.split(), {**_ALSO, **also}

    def enter(body: Fn) -> Fn:
        parameters = inspect.signature(body).parameters
        order = tuple(parameters)
        one = [n for n, p in parameters.items() if str(p.annotation) in ("Tensor", "Tensor | None")]
        several = [n for n, p in parameters.items() if str(p.annotation) == "Sequence[Tensor]"]
        needed = dict.fromkeys(n for n, p in parameters.items() if p.default is p.empty)  # graphs keep no `None`

        def compute(**arguments: Any) -> Any:
            operands = [arguments[n] for n in one if n in arguments]
            operands += [v for n in several for v in arguments.get(n, ())]
            operands.sort(key=lambda v: not isinstance(v, Tensor))  # arrays have a type, but no device
            beside = next((tensor(v) for v in operands if hasattr(v, "dtype")), None)
            place = "meta" if any(isinstance(v, Tensor) and v.is_meta for v in arguments.values()) else None
            for name in one:
                if arguments.get(name) is not None:
                    arguments[name] = _on(place, tensor(arguments[name], beside=beside))
            for name in several:
                if name in arguments:
                    arguments[name] = [_on(place, tensor(v, beside=beside)) for v in arguments[name]]
            return body(**{**needed, **arguments})

        compute.__name__ = names[0].rpartition(".")[2]
        compute._name_in_graphs = max(names, key=len)  # type: ignore[attr-defined]
        lazily = lifted(compute)

        @functools.wraps(body)
        def call(*args: Any, **kwargs: Any) -> Any:
            kwargs.pop("name", None)
            kwargs = {n if n in parameters else other_names.get(n, n): v for n, v in kwargs.items()}
            unknown = sorted(kwargs.keys() - parameters.keys())
            if unknown or len(args) > len(order):
                what = f"{unknown[0]}=…" if unknown else f"{len(args)} arguments"
                raise TypeError(f"tf.{names[0]}({what}): it takes {', '.join(order)}.")
            arguments = {**dict(zip(order, args)), **kwargs}
            if missing := [n for n, p in parameters.items() if p.default is p.empty and n not in arguments]:
                raise TypeError(f"tf.{names[0]}: {' and '.join(missing)} missing; it takes {', '.join(order)}.")
            if holds_rows(arguments):
                return of_rows(names[0], call, arguments)
            return lazily(**arguments)

        for path in names:
            FUNCTIONS[path] = call
        return call  # type: ignore[return-value]

    return enter


def sizes(shape: Any) -> tuple[int, ...]:
    """Return a shape as integers: of a list of numbers and 0-d tensors, of a tensor, or of a number.

    Args:
        shape: The shape.
    """
    if isinstance(shape, Tensor):
        shape = shape.tolist()
    return (int(shape),) if not isinstance(shape, (list, tuple)) else tuple(int(n) for n in shape)


def axes_of(x: Tensor, axis: Any) -> tuple[int, ...]:
    """Return axes as a tuple.

    Args:
        x: The tensor.
        axis: One, several, or `None` for all.
    """
    if axis is None:
        return tuple(range(x.dim()))
    return tuple(int(a) for a in axis) if isinstance(axis, (list, tuple)) else (int(axis),)
