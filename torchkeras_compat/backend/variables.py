"""Variables and their values: `variable`, `get_value`, `set_value`, `update` and what makes filled tensors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .._core import settings, symbolic
from .._core.errors import show
from .._core.operations import as_tensor, creation, mutation, operation
from .._core.runs import RUN
from .._core.shapes import sizes
from .._core.symbolic import SymbolicTensor
from .._core.user_tensors import Expression, hand_out, take_back
from .._core.weights import UNNAMED, Holder, Variable, Weight, path_of_new


def variable(
    value: Any, dtype: Any = None, name: str | None = None, constraint: Callable[[Tensor], Tensor] | None = None
) -> Any:
    """Return a tensor whose value can be changed, in the default float type unless told otherwise.

    Args:
        value: A number, list, array or tensor; a sparse matrix of scipy becomes a sparse tensor.
        dtype: Its type.
        name: Its name.
        constraint: Kept on the variable for the layer that trains it.

    Example:
        >>> v = variable([1, 2])
        >>> v.assign([3, 4]).numpy()
        array([3., 4.], dtype=float32)
    """
    wanted = settings.torch_dtype(dtype)
    if hasattr(value, "tocoo"):
        return _sparse(value.tocoo(), wanted)
    with torch.inference_mode(False):  # a variable that is made while a model predicts can train later
        tensor = take_back(as_tensor(value)).detach()
        device = settings.default_device() if tensor.device.type == "cpu" else tensor.device
        data = tensor.to(device, wanted, copy=True)
        holder = Holder(nn.Parameter(data, requires_grad=data.is_floating_point()))
    title = (name or UNNAMED).partition(":")[0]
    return Weight(title, holder, ("value",), constraint=constraint, own_path=path_of_new(title)).variable()


def _sparse(entries: Any, dtype: torch.dtype) -> Tensor:
    """Return the entries of a sparse matrix as a sparse tensor on the device of new models."""
    indices = torch.as_tensor(np.stack([entries.row, entries.col]).astype("int64"))
    values = torch.as_tensor(entries.data).to(dtype)
    with warnings.catch_warnings():
        # Some releases of torch say that nothing is checked, of a tensor whose check is asked for.
        warnings.filterwarnings("ignore", "Sparse invariant checks are implicitly disabled")
        tensor = torch.sparse_coo_tensor(indices, values, entries.shape, check_invariants=True)
        return tensor.to(settings.default_device())


def is_variable(x: Any) -> bool:
    """Return whether `x` is a variable.

    Example:
        >>> is_variable(variable(0.0))
        True
    """
    return isinstance(x, Variable)


@creation
def constant(value: Any, dtype: Any = None, shape: Sequence[int] | None = None, name: str | None = None) -> Tensor:
    """Return a tensor of a fixed value.

    Args:
        value: A number, list or array.
        dtype: Its type, the default float type if `None`.
        shape: Its shape; one number fills it.
        name: Accepted for Keras's sake.

    Example:
        >>> constant(2, shape=(2,))
        tensor([2., 2.])
    """
    tensor = as_tensor(value).to(settings.torch_dtype(dtype))
    if shape is None:
        return tensor
    return tensor.expand(*shape).clone() if tensor.numel() == 1 else tensor.reshape(tuple(shape))


def zeros(shape: int | Sequence[int], dtype: Any = None, name: str | None = None) -> Any:
    """Return a variable filled with 0.

    Example:
        >>> zeros((2,)).numpy()
        array([0., 0.], dtype=float32)
    """
    return _filled(shape, 0.0, dtype, name)


@creation
def _full(shape: Any, value: float, dtype: Any = None) -> Tensor:
    return torch.full(sizes(shape), value, dtype=settings.torch_dtype(dtype), device=settings.default_device())


def _filled(shape: Any, value: float, dtype: Any, name: str | None) -> Any:
    """Return a variable; where the shape is symbolic, as in Keras, a tensor that is made when it is known."""
    if symbolic.is_symbolic(shape):
        return _full(shape, value, dtype)
    return variable(torch.full(sizes(shape), value), dtype, name)


def ones(shape: int | Sequence[int], dtype: Any = None, name: str | None = None) -> Any:
    """Return a variable filled with 1.

    Example:
        >>> ones((2,)).numpy()
        array([1., 1.], dtype=float32)
    """
    return _filled(shape, 1.0, dtype, name)


def eye(size: int | Sequence[int], dtype: Any = None, name: str | None = None) -> Any:
    """Return a variable that holds the identity matrix.

    Example:
        >>> eye(2).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    rows, columns = (size, size) if isinstance(size, int) else (int(n) for n in size)
    return variable(torch.eye(rows, columns), dtype, name)


def value_of(x: Any) -> Any:
    """Return numpy for tensors, within lists too, and anything else as it is."""
    if isinstance(x, (list, tuple)) and not isinstance(x, torch.Size):
        return type(x)(value_of(i) for i in x)
    if isinstance(x, Tensor):
        return hand_out(x if x.layout is torch.strided else x.detach().to_dense()).numpy()[()]
    return x


def get_value(x: Any) -> Any:
    """Return the value of a tensor or variable as numpy, of an optimizer's learning rate as a number of numpy's.

    Raises:
        ValueError: `x` is symbolic and needs the value of an input.

    Example:
        >>> get_value(variable([1.0]))
        array([1.], dtype=float32)
    """
    if isinstance(x, SymbolicTensor) and RUN.values is not None:
        return value_of(symbolic.resolved(x))
    if isinstance(x, (SymbolicTensor, Expression)):
        with torch.no_grad(), settings.running(bool(settings.running_phase())):
            return value_of(symbolic.evaluate([x], {})[0])
    if isinstance(x, (int, float)) and hasattr(x, "numpy"):  # of an optimizer, as it stands now
        return x.numpy()
    return value_of(x)


eval = get_value


def batch_get_value(tensors: Sequence[Any]) -> list[Any]:
    """Return the values of several tensors.

    Example:
        >>> batch_get_value([variable(1.0), variable(2.0)])
        [np.float32(1.0), np.float32(2.0)]
    """
    return [get_value(x) for x in tensors]


def set_value(x: Any, value: Any) -> None:
    """Set the value of a variable, a tensor or an optimizer's learning rate.

    Args:
        x: A variable, a tensor, or `optimizer.lr`.
        value: A number or array of the same shape.

    Raises:
        ValueError: The shapes differ.
        TypeError: `x` is a plain number, which nothing can change.

    Example:
        >>> v = variable([1.0, 2.0])
        >>> set_value(v, [3.0, 4.0]); get_value(v)
        array([3., 4.], dtype=float32)
    """
    if hasattr(x, "_set"):
        x._set(get_value(value) if isinstance(value, Tensor) else value)
    elif isinstance(x, Tensor):
        _assign(x, value)
    elif hasattr(x, "assign"):
        x.assign(value)
    else:
        raise TypeError(f"set_value(x={show(x)}): x must be a variable, a tensor or an optimizer's lr; got {show(x)}.")


def batch_set_value(tuples: Sequence[tuple[Any, Any]]) -> None:
    """Set the values of several variables.

    Args:
        tuples: Pairs of a variable and its value.

    Example:
        >>> v = variable(1.0)
        >>> batch_set_value([(v, 2.0)]); get_value(v)
        np.float32(2.0)
    """
    for x, value in tuples:
        set_value(x, value)


def _assign(x: Any, value: Any) -> Tensor:
    if hasattr(x, "_set"):
        x._set(get_value(value) if isinstance(value, Tensor) else value)
        return as_tensor(get_value(x))
    value = as_tensor(take_back(value), x.device)
    if value.shape != x.shape:
        raise ValueError(f"set_value: the variable has shape {tuple(x.shape)}; got {show(value)}.")
    if isinstance(x, Variable):
        return x.assign(value)
    held: Tensor = x
    with torch.no_grad():
        return held.copy_(value)


def _now(x: Any) -> Tensor:
    """Return what a variable or a number of an optimizer holds."""
    return (x if isinstance(x, Tensor) else as_tensor(get_value(x))).detach()


def _changed(x: Any, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Write what `change` makes of a variable into it, and return that: at once, or when a layer's call has ended."""
    if RUN.held_updates is None:
        return _assign(x, change(_now(x)))
    RUN.held_updates.append(lambda: _assign(x, change(_now(x))))
    return change(_now(x))


@mutation
def update(x: Any, new_x: Tensor) -> Tensor:
    """Set a variable and return it; with a symbolic value, when `K.function` runs it as one of its `updates`.

    Example:
        >>> get_value(update(variable(1.0), 2.0))
        np.float32(2.0)
    """
    return _changed(x, lambda before: new_x)


@mutation
def update_add(x: Any, increment: Tensor) -> Tensor:
    """Add to a variable and return it.

    Example:
        >>> get_value(update_add(variable(1.0), 2.0))
        np.float32(3.0)
    """
    return _changed(x, lambda before: before + increment.detach())


@mutation
def update_sub(x: Any, decrement: Tensor) -> Tensor:
    """Subtract from a variable and return it.

    Example:
        >>> get_value(update_sub(variable(1.0), 2.0))
        np.float32(-1.0)
    """
    return _changed(x, lambda before: before - decrement.detach())


@mutation
def moving_average_update(x: Any, value: Tensor, momentum: float) -> Tensor:
    """Move a variable towards a value: `x * momentum + value * (1 - momentum)`.

    Example:
        >>> get_value(moving_average_update(variable(1.0), 2.0, 0.75))
        np.float32(1.25)
    """
    return _changed(x, lambda before: before - (before - value.detach()) * (1 - momentum))


def get_variable_shape(x: Any) -> tuple[int, ...]:
    """Return the shape of a variable.

    Example:
        >>> get_variable_shape(zeros((2, 3)))
        (2, 3)
    """
    return tuple(x.shape)


@operation
def stop_gradient(variables: Any) -> Any:
    """Return a tensor, or a list of them, that gradients do not flow through.

    Example:
        >>> stop_gradient(torch.ones(1, requires_grad=True)).requires_grad
        False
    """
    if isinstance(variables, (list, tuple)):
        return type(variables)(as_tensor(v).detach() for v in variables)
    return as_tensor(variables).detach()


@operation
def print_tensor(x: Tensor, message: str = "", summarize: int = 3) -> Tensor:
    """Print a message and the value, and return the tensor.

    Args:
        x: Any tensor.
        message: Printed before it.
        summarize: How many elements at each end of an axis are shown; -1 for all.

    Example:
        >>> _ = print_tensor(torch.arange(9.0), 'x =')
        x = [0 1 2 ... 6 7 8]
    """
    if x.device.type != "meta":
        ends = 10**9 if summarize == -1 else summarize
        options: dict[str, Any] = {"threshold": 2 * ends, "edgeitems": ends}
        print(message, np.array2string(np.asarray(value_of(x)), formatter={"float": lambda v: f"{v:.8g}"}, **options))
    return x
