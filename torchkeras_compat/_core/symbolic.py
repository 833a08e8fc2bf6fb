"""One symbolic tensor: a shape, a type and the operation it came from.

`Input`, `layer.output`, `K.function` and `K.gradients` work on it; `evaluate` computes it from values of its inputs.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from . import settings
from .shapes import Shape
from .tensor_operators import OPERATORS, item
from .tensor_shape import TensorShape
from .user_tensors import Deferred, hand_out

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(eq=False)
class SymbolicTensor(Deferred):
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

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, TensorShape(value) if name == "shape" else value)

    def get_shape(self) -> Shape:
        """Return the shape, as old scripts ask for it."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Take note of lengths that were not known, as TensorFlow's tensors do.

        Raises:
            ValueError: The shape contradicts what is known.
        """
        said = TensorShape(shape)
        if not said.is_compatible_with(self.shape):
            raise ValueError(f"set_shape({tuple(said)}): {self!r} has another shape.")
        self.shape = tuple(own if own is not None else new for own, new in zip(self.shape, said))

    @property
    def _keras_shape(self) -> Shape:
        return tuple(self.shape)

    def in_run(self) -> Any:
        """Return the value in the run in progress."""
        return resolved(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "name" not in self.__dict__:  # one that is being copied has nothing yet
            raise AttributeError(name)
        if _run.values is not None:
            return getattr(resolved(self), name)
        raise AttributeError(f"{self!r} has no {name!r}: it is symbolic; use K.function to compute its value.")

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.name!r} shape={self.shape} dtype={self.dtype}>"

    def __getitem__(self, key: Any) -> SymbolicTensor:
        return apply(item, self, key)  # type: ignore[no-any-return]

    def __iter__(self) -> Any:
        raise TypeError(f"{self!r} is symbolic and cannot be iterated over; use K.function to compute its value.")

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} is symbolic and has no truth value; use K.function to compute its value.")


def _operator(name: str) -> Callable[..., Any]:
    function = OPERATORS[name]

    def method(self: SymbolicTensor, *others: Any) -> Any:
        return apply(function, self, *others)

    return method


for _name in OPERATORS:
    if _name not in ("__eq__", "__ne__"):  # a symbolic tensor equals itself alone: it is a key of dictionaries
        setattr(SymbolicTensor, _name, _operator(_name))


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


def apply(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Return the symbolic result of `function`; its shape is found by running it on shapes alone, twice.

    An axis that changes with the size put in for `None` is unknown in the result.  In a run whose values are known, as
    where a loss asks for a layer's output, the result is computed at once.
    """
    if _run.values is not None:
        return function(*map(resolved, arguments), **{k: resolved(v) for k, v in keywords.items()})
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


class _Run(threading.local):
    """What goes on in this thread."""

    values: dict[int, Any] | None = None  # of the run in progress, where somebody may ask for them
    asked: bool = False  # whether somebody did
    defers_updates: bool = False


_run = _Run()


class run_values:
    """Keeps the values that symbolic tensors have in the run in the block, by id: `layer.output` can be used there.

    A class, not a generator: a training step enters one.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = _run.values
        _run.values = {}

    def __exit__(self, *error: object) -> None:
        _run.values = self._before


def was_asked() -> bool:
    """Tell whether somebody asked for a value since the last call."""
    asked, _run.asked = _run.asked, False
    return asked


def kept_values() -> dict[int, Any] | None:
    """Return where a model keeps what its layers give in the run in progress; `None` where nobody asks."""
    return _run.values


@contextmanager
def deferred_updates() -> Iterator[None]:
    """Let changes of variables inside the block be made later, as a graph would."""
    before, _run.defers_updates = _run.defers_updates, True
    try:
        yield
    finally:
        _run.defers_updates = before


def defers_updates() -> bool:
    """Tell whether changes of variables are made later."""
    return _run.defers_updates


def run_updates(
    updates: Sequence[Any], feed: Mapping[SymbolicTensor, Tensor], assign: Callable[[Any, Any], Any]
) -> None:
    """Change variables: first all new values are computed from the old ones, then they are written.

    Args:
        updates: Symbolic updates, and pairs of a variable and its symbolic value.
        feed: Values of the inputs, by symbolic tensor.
        assign: Writes a value into a variable.
    """
    values = {id(tensor): value for tensor, value in feed.items()}
    later: list[tuple[Any, Callable[..., Any], list[Any], dict[str, Any]]] = []
    for update in updates:
        if isinstance(update, SymbolicTensor) and update.origin is not None:
            arguments, keywords = list(update.arguments), dict(update.keywords)
            computed = _evaluate([*arguments, *keywords.values()], values, {})
            later.append(
                (update, update.origin, computed[: len(arguments)], dict(zip(keywords, computed[len(arguments) :])))
            )
        else:
            later.append((None, assign, [update[0], *_evaluate([update[1]], values, {})], {}))
    for update, change, args, kwargs in later:
        if update is None or id(update) not in values:  # a value may have been built on an update, which is made then
            values[id(update)] = change(*args, **kwargs)


def as_seen(tensor: SymbolicTensor) -> Any:
    """Return a symbolic tensor, or its value where that is known in the run in progress."""
    known = _run.values is not None and id(tensor) in _run.values
    return resolved(tensor) if known else tensor


def value_in_run(tensor: SymbolicTensor) -> Any:
    """Return the value of a symbolic tensor in the run in progress, as the model's layers gave it.

    Raises:
        ValueError: It belongs to a model that does not run, or nothing runs.
    """
    if _run.values is None:
        raise ValueError(f"{tensor!r} has no value here: nothing runs; use K.function to compute one.")
    _run.asked = True
    return _evaluate([tensor], _run.values, {})[0]


def resolved(value: Any) -> Any:
    """Return a symbolic tensor, in lists too, as its value in the run in progress.

    Raises:
        ValueError: It belongs to a model that does not run, or nothing runs.
    """
    if isinstance(value, SymbolicTensor):
        return hand_out(value_in_run(value))
    if type(value) in (list, tuple):
        return type(value)([resolved(v) for v in value])
    return value


def lifted(function: F) -> F:
    """Let a function of tensors take symbolic ones: it then returns a symbolic tensor and is computed later."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any(map(is_symbolic, args)) or any(map(is_symbolic, kwargs.values())):
            return apply(function, *args, **kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def evaluate(outputs: Sequence[Any], feed: Mapping[SymbolicTensor, Tensor], **call_options: Any) -> list[Any]:
    """Compute symbolic tensors from the values of others.

    Args:
        outputs: What to compute.
        feed: Values of the inputs, by symbolic tensor.
        call_options: Passed to origins that are layers (`training=…`).

    Raises:
        ValueError: An output needs an input that has no value.
    """
    return _evaluate(outputs, {id(tensor): value for tensor, value in feed.items()}, call_options)


def _evaluate(outputs: Sequence[Any], values: dict[int, Any], call_options: Mapping[str, Any]) -> list[Any]:
    """Compute symbolic tensors; `values`, by id, takes what was computed on the way."""

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
            options = call_options if getattr(item.origin, "_is_layer", False) else {}
            values[id(item)] = item.origin(*arguments, **keywords, **options)
        return values[id(item)]

    return [value_of(output) for output in outputs]
