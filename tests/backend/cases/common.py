"""What a case of the table is: a function of the backend, its arguments, and which of them can be symbolic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Functions whose first arguments, so many of them, are batches; elsewhere it is the first one alone.
BATCHES = {
    **dict.fromkeys("equal not_equal greater greater_equal less less_equal maximum minimum in_top_k".split(), 2),
    **dict.fromkeys("batch_dot binary_crossentropy binary_focal_crossentropy categorical_crossentropy".split(), 2),
    **dict.fromkeys("categorical_focal_crossentropy sparse_categorical_crossentropy ctc_decode".split(), 2),
    "ctc_batch_cost": 4,
}


class Draw:
    """Inputs that are the same wherever the table is made."""

    def __init__(self) -> None:
        self.source = np.random.RandomState(0)

    def normal(self, *shape: int) -> np.ndarray:
        return self.source.standard_normal(shape).astype("float32")

    def uniform(self, *shape: int) -> np.ndarray:
        return self.source.uniform(0.05, 0.95, shape).astype("float32")

    def softmax(self, *shape: int) -> np.ndarray:
        e = np.exp(self.normal(*shape))
        return (e / e.sum(-1, keepdims=True)).astype("float32")

    def integers(self, *shape: int, low: int = -5, high: int = 6, dtype: str = "int32") -> np.ndarray:
        return self.source.randint(low, high, shape).astype(dtype)


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes:
        name: The function that it shows.
        inputs: Arrays that can be symbolic.
        compute: `(backend, inputs) -> result`; other arrays in it are constants, arrays where the inputs are.
        drawn: Whether values are drawn, so that shape and type alone can be compared.
    """

    name: str
    inputs: tuple[np.ndarray, ...]
    compute: Callable[..., Any]
    drawn: bool = False

    @property
    def can_be_symbolic(self) -> bool:
        """Whether there are inputs, and all have an axis that can be a batch."""
        return bool(self.inputs) and all(array.ndim for array in self.inputs)


def case(name: str, /, *args: Any, batches: int | None = None, drawn: bool = False, **kwargs: Any) -> Case:
    """Return a case from the arguments of a call: the first arrays among them are its inputs."""
    count = BATCHES.get(name, 1) if batches is None else batches
    listed = bool(args) and count > 0 and isinstance(args[0], list) and isinstance(args[0][0], np.ndarray)
    inputs = tuple(args[0]) if listed else tuple(a for a in args[:count] if isinstance(a, np.ndarray))

    def compute(backend: Any, *tensors: Any) -> Any:
        if listed:
            return getattr(backend, name)(list(tensors), *args[1:], **kwargs)
        remaining, plain = iter(tensors), all(isinstance(g, np.ndarray) for g in tensors)

        def placed(i: int, value: Any) -> Any:
            if not isinstance(value, np.ndarray):
                return value
            if i < count:
                return next(remaining)
            return value if plain else backend.constant(value, dtype=value.dtype.name)

        places = [placed(i, a) for i, a in enumerate(args)]
        return getattr(backend, name)(*places, **kwargs)

    return Case(name, inputs, compute, drawn)


def shown(name: str, compute: Callable[..., Any], *inputs: np.ndarray, drawn: bool = False) -> Case:
    """Return a case of a function that takes functions, or whose arguments have to be made."""
    return Case(name, inputs, compute, drawn)


def weights_like(shape: Any) -> np.ndarray:
    """Return numbers by which the elements of a result are told apart in a gradient."""
    return np.cos(np.arange(int(np.prod(shape)), dtype="float64") + 1).reshape(tuple(shape))


def flat(result: Any) -> list[Any]:
    """Return the tensors of a result on one list."""
    if type(result) in (list, tuple):
        return [tensor for item in result for tensor in flat(item)]
    return [result]


def as_array(value: Any) -> np.ndarray:
    """Return a tensor, variable or number as an array."""
    if hasattr(value, "detach"):
        value = value.detach()
        return np.asarray((value.to_dense() if value.is_sparse else value).cpu().numpy())
    if hasattr(value, "dense_shape"):  # a sparse tensor of TensorFlow
        dense = np.zeros([int(n) for n in value.dense_shape], value.values.numpy().dtype)
        dense[tuple(np.asarray(value.indices).T)] = value.values.numpy()
        return dense
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value)
