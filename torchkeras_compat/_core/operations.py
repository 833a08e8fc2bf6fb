"""How a function of tensors becomes one of the backend: arrays and numbers become tensors, symbolic arguments wait."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Sequence
from types import NoneType
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from . import runs, settings, shape_runs, symbolic
from .host_arrays import readable
from .symbolic import SymbolicTensor
from .user_tensors import Live, UserTensor, compute_from_live, dressed, plain_torch

F = TypeVar("F", bound=Callable[..., Any])

_ONE = ("Tensor", "Tensor | None")
_MANY = ("Sequence[Tensor]", "list[Tensor]")


def as_tensor(value: Any, device: torch.device | None = None, like: Tensor | None = None) -> Tensor:
    """Return a number, list or array as a tensor; numbers of Python become `floatx()` or int32, arrays keep their type.

    Args:
        value: A tensor, which is returned as it is, a number, a list or an array.
        device: Where the tensor goes; the device of new models if `None`.
        like: A tensor beside it, whose type an array of float64 takes.

    Example:
        >>> as_tensor([1.0, 2.0]).dtype
        torch.float32
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return torch.stack([_converted(v, value) for v in value])
    array = np.array(value)  # a copy: nothing here shares the caller's memory
    dtype = None
    if array.dtype == np.float64 and like is not None and like.is_floating_point():
        dtype = like.dtype
    elif array.dtype == np.float64 and not isinstance(value, (np.ndarray, np.float64)):
        dtype = settings.torch_dtype(None)
    elif array.dtype == np.int64 and _are_pythons(value) and (not array.size or np.abs(array).max() <= _INT32):
        dtype = torch.int32
    return torch.as_tensor(readable(array)).to(settings.default_device() if device is None else device, dtype)


_INT32 = 2**31 - 1


def _are_pythons(value: Any) -> bool:
    """Tell whether integers are Python's, by the first of them."""
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return not isinstance(value, (np.ndarray, np.generic))


def _beside(values: Any) -> Tensor | None:
    """Return the first tensor among values, those in lists included."""
    for value in values:
        if isinstance(value, Tensor):
            return value
        if isinstance(value, (list, tuple)) and (tensor := _beside(value)) is not None:
            return tensor
    return None


def _converted(value: Any, others: Any) -> Tensor:
    like = _beside(others)
    return as_tensor(value, None if like is None else like.device, like)


def _converting(function: F) -> F:
    """Let parameters that are annotated as tensors, or sequences of them, take numbers, lists and arrays."""
    annotations = {name: str(p.annotation) for name, p in inspect.signature(function).parameters.items()}
    one = {name for name, text in annotations.items() if text in _ONE}
    many = {name for name, text in annotations.items() if text in _MANY}
    order = tuple(annotations)

    def converted(name: str, value: Any, others: Any) -> Any:
        if value is None or isinstance(value, Tensor):
            return value
        if name in one:
            return _converted(value, others)
        if name in many:
            return [_converted(v, value) for v in value]
        return value

    @functools.wraps(function)
    def computed(*args: Any, **kwargs: Any) -> Any:
        everything = (*args, *kwargs.values())
        args = tuple(converted(name, value, everything) for name, value in zip(order, args)) + args[len(order) :]
        kwargs = {name: converted(name, value, everything) for name, value in kwargs.items()}
        return function(*args, **kwargs)

    return computed  # type: ignore[return-value]


def operation(function: F) -> F:
    """Make a function of tensors one of the backend.

    Parameters annotated as tensors (or sequences of them) take numbers, lists and arrays too; if any argument is
    symbolic, the result is symbolic and computed later.
    """
    computed = _converting(function)
    kinds = [str(p.annotation) for p in inspect.signature(function).parameters.values()]
    # Numbers beside a first tensor need no conversion where only that is one.
    direct = kinds[0] in _ONE and not any(kind in (*_ONE, *_MANY) for kind in kinds[1:])

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        kind = type(args[0]) if args else None
        if direct and (kind is Tensor or kind is UserTensor) and _numbers_beside(args, kwargs):
            if kind is Tensor:
                return function(*args, **kwargs)
            with plain_torch():
                result = function(*args, **kwargs)
            if type(result) is Tensor:
                result.__class__ = UserTensor
            return result
        if not kwargs and all(type(value) is Tensor for value in args):
            return function(*args)  # nothing to convert, and nothing symbolic
        return answer(call, computed, args, kwargs)

    return nameable(call)  # type: ignore[return-value]


def nameable(call: F) -> F:
    """Mark a function as one that configurations of graphs may name."""
    call._is_operation = True  # type: ignore[attr-defined]
    return call


def of_one_tensor(function: F) -> F:
    """Do what `operation` does, for a function that mostly gets a single torch tensor: an activation."""
    computed = _converting(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and type(args[0]) is Tensor:
            return function(args[0])
        return answer(call, computed, args, kwargs)

    return nameable(call)  # type: ignore[return-value]


def of_an_object(method: F) -> F:
    """Do what `operation` does, for a method of a single tensor: a regularizer's or constraint's call."""

    @functools.wraps(method)
    def call(self: Any, x: Any) -> Any:
        if type(x) is Tensor:
            return method(self, x)
        bound = functools.partial(call, self)
        return answer(bound, lambda x: method(self, as_tensor(x)), (x,), {})

    return call  # type: ignore[return-value]


def answer(
    function: Callable[..., Any], computed: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> Any:
    """Return what a function of tensors gives, in kind: torch tensors for torch tensors, else one with Keras's manners.

    Args:
        function: What is called again where the arguments are symbolic, or weights whose values may change.
        computed: What computes the result from tensors, arrays and numbers.
        args: Its arguments.
        kwargs: Its keyword arguments.
    """
    kinds = tensor_kinds(itertools.chain(args, kwargs.values()))
    if SymbolicTensor in kinds:
        return symbolic.apply(function, *args, **kwargs)
    if Live in kinds:
        return compute_from_live(function, args, kwargs)
    if Tensor in kinds and UserTensor not in kinds:
        return computed(*args, **kwargs)
    with plain_torch():
        result = computed(*args, **kwargs)
    return result if any(result is value for value in args) else dressed(result)


def tensor_kinds(values: Iterable[Any]) -> set[type]:
    """Return which of the kinds of tensors are among these values, those in lists included."""
    kinds: set[type] = set()
    for value in values:
        if isinstance(value, Tensor):
            kinds.add(Live if isinstance(value, Live) else UserTensor if isinstance(value, UserTensor) else Tensor)
        elif isinstance(value, (list, tuple)):
            kinds |= tensor_kinds(value)
        elif isinstance(value, SymbolicTensor):
            kinds.add(SymbolicTensor)
    return kinds


_NUMBERS = frozenset({int, float, bool, str, NoneType})


def _numbers_beside(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Tell whether a call has nothing but numbers behind its first argument."""
    return (len(args) == 1 or _NUMBERS.issuperset(map(type, args[1:]))) and (
        not kwargs or _NUMBERS.issuperset(map(type, kwargs.values()))
    )


def mutation(function: F) -> F:
    """Do what `operation` does for a function that changes its first argument, a variable: it gets that as it is."""
    computed = _converting(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not args:  # the variable by its name
            args = (kwargs.pop(next(iter(inspect.signature(function).parameters))),)
        if runs.defers_updates():
            kind = settings.dtype_name(args[0].dtype)
            return SymbolicTensor(tuple(args[0].shape), kind, call, args, kwargs, function.__name__)
        if SymbolicTensor in tensor_kinds(itertools.chain(args, kwargs.values())):
            return symbolic.apply(call, *args, **kwargs)
        return computed(*args, **kwargs)

    return call  # type: ignore[return-value]


def creation(function: F) -> F:
    """Let a function that makes a tensor of numbers give it Keras's manners; of symbolic sizes it is made later."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if symbolic.is_symbolic(args) or (kwargs and symbolic.is_symbolic(kwargs)):
            return symbolic.apply(call, *args, **kwargs)
        return dressed(function(*args, **kwargs))

    call._on_shapes = shape_runs.without_numbers(function)  # type: ignore[attr-defined]
    return nameable(call)  # type: ignore[return-value]
