"""The functions of Keras 1's `initializations`: called with a shape, they return the values.

Source: `keras/initializations.py`, Keras 1.2.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from .. import initializers
from .._core.errors import choice

Initialization = Callable[..., Tensor]


def zero(shape: Sequence[int], name: str | None = None, dim_ordering: str = "tf") -> Tensor:
    """Fill with 0.

    Example:
        >>> zero((2,))
        tensor([0., 0.])
    """
    return initializers.Zeros()(shape)


def one(shape: Sequence[int], name: str | None = None, dim_ordering: str = "tf") -> Tensor:
    """Fill with 1.

    Example:
        >>> one((2,))
        tensor([1., 1.])
    """
    return initializers.Ones()(shape)


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
        return values.reshape(tuple(shape))

    return _named(initialization, called, f"Draw as the initializer `{called}` of Keras 1 does.")


def _by_scale(called: str, make: Callable[[float], initializers.Initializer], default: float) -> Initialization:
    def initialization(
        shape: Sequence[int], scale: float = default, name: str | None = None, dim_ordering: str = "tf"
    ) -> Tensor:
        return make(scale)(shape)

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
