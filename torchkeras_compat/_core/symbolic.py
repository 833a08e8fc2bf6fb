"""One symbolic tensor: a shape, a type and the operation it came from.

`Input`, `layer.output`, `K.function` and `K.gradients` work on it; `evaluate` computes it from values of its inputs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from . import settings
from .shapes import Shape

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(eq=False)
class SymbolicTensor:
    """A tensor known by shape and origin, not by value.

    Attributes:
        shape: Keras shape, `None` where unknown.
        dtype: Keras name of the type.
        origin: The layer or function that computes it; `None` for an input.
        arguments: The positional arguments of that call, symbolic or not.
        keywords: Its keyword arguments.
        name: What messages and summaries call it.
    """

    shape: Shape
    dtype: str = "float32"
    origin: Callable[..., Any] | None = None
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def get_shape(self) -> Shape:
        """Return the shape, as old scripts ask for it."""
        return self.shape

    @property
    def _keras_shape(self) -> Shape:
        return self.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.name!r} shape={self.shape} dtype={self.dtype}>"

    def __getitem__(self, key: Any) -> SymbolicTensor:
        return apply(lambda x, k: x[k], self, key)

    def __iter__(self) -> Any:
        raise TypeError(f"{self!r} is symbolic and cannot be iterated over; use K.function to compute its value.")

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} is symbolic and has no truth value; use K.function to compute its value.")


def _operator(name: str) -> Callable[..., SymbolicTensor]:
    def method(self: SymbolicTensor, *others: Any) -> SymbolicTensor:
        def compute(a: Any, *rest: Any) -> Any:
            return getattr(torch.as_tensor(a), name)(*rest)

        return apply(compute, self, *others)

    return method


for _name in "add radd sub rsub mul rmul truediv rtruediv pow rpow neg matmul gt ge lt le mod".split():
    setattr(SymbolicTensor, f"__{_name}__", _operator(f"__{_name}__"))


def is_symbolic(value: Any) -> bool:
    """Tell whether `value`, or something inside a list or tuple, is symbolic."""
    if isinstance(value, (list, tuple)):
        return any(is_symbolic(v) for v in value)
    return isinstance(value, SymbolicTensor)


def _sample(value: Any, unknown: int) -> Any:
    if isinstance(value, SymbolicTensor):
        shape = tuple(unknown if n is None else n for n in value.shape)
        return torch.zeros(shape, dtype=settings.torch_dtype(value.dtype), device="meta")
    if isinstance(value, (list, tuple)):
        return type(value)(_sample(v, unknown) for v in value)
    return value.detach().to("meta") if isinstance(value, Tensor) else value


def apply(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> SymbolicTensor:
    """Return the symbolic result of `function`; its shape is found by running it on shapes alone, twice.

    An axis that changes with the size put in for `None` is unknown in the result.
    """
    shapes, dtype = [], torch.float32
    for unknown in (2, 3):
        with torch.no_grad():
            options = {k: _sample(v, unknown) for k, v in keywords.items()}
            result = function(*(_sample(a, unknown) for a in arguments), **options)
        shapes.append(tuple(result.shape))
        dtype = result.dtype
    shape = tuple(a if a == b else None for a, b in zip(*shapes))
    name = getattr(function, "__name__", "operation")
    return SymbolicTensor(shape, settings.dtype_name(dtype), function, arguments, keywords, name)


def lifted(function: F) -> F:
    """Let a function of tensors take symbolic ones: it then returns a symbolic tensor and is computed later."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any(map(is_symbolic, args)) or any(map(is_symbolic, kwargs.values())):
            return apply(function, *args, **kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def evaluate(
    outputs: Sequence[SymbolicTensor], feed: Mapping[SymbolicTensor, Tensor], **call_options: Any
) -> list[Tensor]:
    """Compute symbolic tensors from the values of others.

    Args:
        outputs: What to compute.
        feed: Values of the inputs, by symbolic tensor.
        call_options: Passed to origins that are layers (`training=…`).

    Raises:
        ValueError: An output needs an input that has no value.
    """
    values: dict[int, Any] = {id(tensor): value for tensor, value in feed.items()}

    def value_of(item: Any) -> Any:
        if isinstance(item, (list, tuple)):
            return type(item)(value_of(i) for i in item)
        if not isinstance(item, SymbolicTensor):
            return item
        if id(item) not in values:
            if item.origin is None:
                raise ValueError(f"{item!r} is an input without a value; list it among the inputs.")
            arguments = [value_of(a) for a in item.arguments]
            keywords = {k: value_of(v) for k, v in item.keywords.items()}
            options = call_options if getattr(item.origin, "is_layer", False) else {}
            values[id(item)] = item.origin(*arguments, **keywords, **options)
        return values[id(item)]

    return [value_of(output) for output in outputs]
