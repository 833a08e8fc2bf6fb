"""The functions of Keras 1's `initializations`: called with a shape and a name, they return a variable.

Source: `keras/initializations.py`, Keras 1.2.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from .. import backend, initializers
from .._core.errors import choice

Initialization = Callable[..., Tensor]


def zero(shape: Sequence[int], name: str | None = None, dim_ordering: str = "tf") -> Tensor:
    """Fill with 0.

    Example:
        >>> zero((2,), name='b').numpy()
        array([0., 0.], dtype=float32)
    """
    return _variable(initializers.Zeros()(shape), name)


def one(shape: Sequence[int], name: str | None = None, dim_ordering: str = "tf") -> Tensor:
    """Fill with 1.

    Example:
        >>> one((2,)).numpy()
        array([1., 1.], dtype=float32)
    """
    return _variable(initializers.Ones()(shape), name)


def get(identifier: Any, **kwargs: Any) -> Any:
    """Return what a name stands for: a function of this module, or else what `initializers.get` returns.

    Args:
        identifier: Such as `'glorot_uniform'`.
        kwargs: `dim_ordering`, which Keras 1 accepted here and left to the call of the function.

    Raises:
        ValueError: An unknown name.

    Example:
        >>> get('one')((2,), name='scale').numpy()
        array([1., 1.], dtype=float32)
    """
    if isinstance(identifier, str) and identifier in NAMES:
        return globals()[identifier]
    return initializers.get(identifier)


def _variable(values: Tensor, name: str | None) -> Tensor:
    variable: Tensor = backend.variable(values, name=name)
    return variable


def get_fans(shape: Sequence[int], dim_ordering: str = "th") -> tuple[float, float]:
    """Return how many inputs and outputs a kernel joins.

    Args:
        shape: Its shape: two axes, or those of a convolution's kernel, or any others.
        dim_ordering: `'th'`, a convolution's first axes are outputs and inputs; `'tf'`, its last ones are inputs and
            outputs.

    Raises:
        ValueError: Another order.

    Example:
        >>> get_fans((32, 16, 3, 3)), get_fans((3, 3, 16, 32), 'tf')
        ((144, 288), (144, 288))
    """
    choice("get_fans", "dim_ordering", dim_ordering, ("tf", "th"))
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) in (4, 5):
        outputs, inputs, *window = (
            shape if dim_ordering == "th" else (shape[-1], shape[-2], *shape[:2])
        )  # as Keras 1 has it
        return inputs * math.prod(window), outputs * math.prod(window)
    root = math.sqrt(math.prod(shape))
    return root, root


def _by_fan(called: str, scale: float, mode: str, distribution: str) -> Initialization:
    def initialization(shape: Sequence[int], name: str | None = None, dim_ordering: str = "tf") -> Tensor:
        ordering = choice(called, "dim_ordering", dim_ordering, ("tf", "th"))
        swapped = ordering == "th" and len(shape) > 2  # (outputs, inputs, *window)
        values = initializers.VarianceScaling(scale, mode, distribution)(
            (*shape[2:], shape[1], shape[0]) if swapped else shape
        )
        return _variable(values.reshape(tuple(shape)), name)

    return _named(initialization, called, f"Draw as the initializer `{called}` of Keras 1 does.")


def _by_scale(called: str, make: Callable[[float], initializers.Initializer], default: float) -> Initialization:
    def initialization(
        shape: Sequence[int], scale: float = default, name: str | None = None, dim_ordering: str = "tf"
    ) -> Tensor:
        return _variable(make(scale)(shape), name)

    return _named(initialization, called, f"Draw as the initializer `{called}` of Keras 1 does, by `scale`.")


def _named(function: Initialization, name: str, text: str) -> Initialization:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


lecun_uniform = _by_fan("lecun_uniform", 1.0, "fan_in", "uniform")
glorot_normal = _by_fan("glorot_normal", 1.0, "fan_avg", "untruncated_normal")
glorot_uniform = _by_fan("glorot_uniform", 1.0, "fan_avg", "uniform")
he_normal = _by_fan("he_normal", 2.0, "fan_in", "untruncated_normal")
he_uniform = _by_fan("he_uniform", 2.0, "fan_in", "uniform")
uniform = _by_scale("uniform", lambda scale: initializers.RandomUniform(-scale, scale), 0.05)
normal = _by_scale("normal", lambda scale: initializers.RandomNormal(0.0, scale), 0.05)
orthogonal = _by_scale("orthogonal", initializers.Orthogonal, 1.1)
identity = _by_scale("identity", initializers.Identity, 1.0)

NAMES = (
    "zero one uniform normal lecun_uniform glorot_normal glorot_uniform he_normal he_uniform orthogonal identity"
).split()
