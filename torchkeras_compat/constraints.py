"""Constraints: objects that put a weight, in Keras's layout, back into bounds after an update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ._core import registry, settings
from ._core.bounds import clip
from ._core.config import Configurable
from ._core.errors import argument_error, axis_tuple
from ._core.operations import of_an_object

Axis = int | Sequence[int]


@registry.base("constraint")
class Constraint(Configurable):
    """Base of the constraints; a subclass defines `__call__(w)`, here the identity.

    Example:
        >>> class Halved(Constraint):
        ...     def __call__(self, w):
        ...         return w / 2
        >>> Halved()(torch.tensor([2.0]))
        tensor([1.])
    """

    def __init__(self) -> None:
        pass  # there for its signature: an argument is refused by name

    @of_an_object
    def __call__(self, w: Tensor) -> Tensor:
        """Return the bounded weight."""
        return w


def _number(owner: object, argument: str, value: Any) -> Any:
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise argument_error(type(owner).__name__, argument, "a number", value, TypeError)
    return value


def _axis(owner: object, axis: Any) -> Any:
    axis_tuple(type(owner).__name__, axis)
    return axis


def _norms(w: Tensor, axis: Axis) -> Tensor:
    axes = axis if isinstance(axis, int) else tuple(int(i) for i in axis)
    return w.square().sum(axes, keepdim=True).sqrt()


@registry.register("constraint", "max_norm")
class MaxNorm(Constraint):
    """Bound the norm of the weights that lead into each unit.

    Args:
        max_value: The largest norm.
        axis: The axis or axes over which a norm is taken: 0 for a matrix `(inputs, outputs)`, `[0, 1, 2]` for the
            kernel of a 2-D convolution.

    Shape:
        A weight in Keras order, unchanged.

    Raises:
        TypeError: `max_value` is not a number or `axis` not integers.

    Source:
        Srivastava et al., 2014; `keras.constraints.MaxNorm`, Keras 2.15.

    Example:
        >>> MaxNorm(1.0)(torch.tensor([[3.0], [4.0]]))
        tensor([[0.6000],
                [0.8000]])
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value = _number(self, "max_value", max_value)
        self.axis = _axis(self, axis)

    @of_an_object
    def __call__(self, w: Tensor) -> Tensor:
        """Return the bounded weight."""
        norms = _norms(w, self.axis)
        return w * (clip(norms, 0, self.max_value) / (settings.epsilon() + norms))


@registry.register("constraint", "min_max_norm")
class MinMaxNorm(Constraint):
    """Bound the norm of the weights that lead into each unit from both sides, at once or a part of the way.

    Args:
        min_value: The smallest norm.
        max_value: The largest norm.
        rate: 1 goes to the bound at once; less goes that part of the way at each update.
        axis: The axis or axes over which a norm is taken.

    Shape:
        A weight in Keras order, unchanged.

    Raises:
        TypeError: A bound or the rate is not a number, or `axis` not integers.

    Source:
        `keras.constraints.MinMaxNorm`, Keras 2.15.

    Example:
        >>> MinMaxNorm(10.0, 20.0)(torch.tensor([[3.0], [4.0]]))
        tensor([[6.],
                [8.]])
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0) -> None:
        self.min_value = _number(self, "min_value", min_value)
        self.max_value = _number(self, "max_value", max_value)
        self.rate = _number(self, "rate", rate)
        self.axis = _axis(self, axis)

    @of_an_object
    def __call__(self, w: Tensor) -> Tensor:
        """Return the bounded weight."""
        norms = _norms(w, self.axis)
        desired: Tensor = self.rate * clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (settings.epsilon() + norms))


@registry.register("constraint", "unit_norm")
class UnitNorm(Constraint):
    """Give the weights that lead into each unit the norm 1.

    Args:
        axis: The axis or axes over which a norm is taken.

    Shape:
        A weight in Keras order, unchanged.

    Raises:
        TypeError: `axis` is not an integer or a list of them.

    Source:
        `keras.constraints.UnitNorm`, Keras 2.15.

    Example:
        >>> UnitNorm()(torch.tensor([[3.0], [4.0]]))
        tensor([[0.6000],
                [0.8000]])
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = _axis(self, axis)

    @of_an_object
    def __call__(self, w: Tensor) -> Tensor:
        """Return the weight of norm 1."""
        return w / (settings.epsilon() + _norms(w, self.axis))


@registry.register("constraint", "non_neg")
class NonNeg(Constraint):
    """Set negative weights to zero.

    Shape:
        Any weight, unchanged.

    Example:
        >>> NonNeg()(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    @of_an_object
    def __call__(self, w: Tensor) -> Tensor:
        """Return the weight without its negative entries."""
        return clip(w, 0)


@registry.register("constraint", "radial_constraint")
class RadialConstraint(Constraint):
    """Make the kernel of a 2-D convolution the same along each square ring around its centre.

    Each ring takes one value from the kernel's diagonal.  With an even size that is the lower right corner of the ring
    (of the innermost, the upper left one).  With an odd size it is, as in Keras, the corner one ring further in, and
    the centre takes the value that stands diagonally above it.

    Shape:
        `(size, size, inputs, outputs)`, unchanged.

    Raises:
        ValueError: When called with a weight that has not four axes or no square window.

    Source:
        `keras.constraints.RadialConstraint`, Keras 2.15.

    Example:
        >>> w = torch.arange(16.0).reshape(4, 4, 1, 1)
        >>> RadialConstraint()(w)[:, :, 0, 0]
        tensor([[15., 15., 15., 15.],
                [15.,  5.,  5., 15.],
                [15.,  5.,  5., 15.],
                [15., 15., 15., 15.]])
    """

    @of_an_object
    def __call__(self, w: Tensor) -> Tensor:
        """Return the kernel with equal rings."""
        if w.ndim != 4 or w.shape[0] != w.shape[1]:
            raise argument_error("RadialConstraint", "w", "a kernel (size, size, inputs, outputs)", w)
        size = w.shape[0]
        start, odd = size // 2, size % 2
        place = torch.arange(size, device=w.device)
        away = torch.where(place < start, start - place - (1 - odd), place - start)
        ring = torch.maximum(away[:, None], away[None, :])  # 0 at the centre
        corner = (start - odd + ring).masked_fill(ring == 0, max(start - 1, 0))
        return w[corner, corner]


# The other names of Keras, which are called like functions.
max_norm = maxnorm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm
radial_constraint = RadialConstraint


def get(identifier: Any) -> Any:
    """Return the constraint that a name, a configuration, a class or a callable stands for; `None` is `None`.

    Args:
        identifier: Such as `'non_neg'`, `MaxNorm(3)` or `lambda w: …`.

    Raises:
        ValueError: An unknown name.

    Example:
        >>> get('maxnorm').max_value
        2
    """
    return registry.get("constraint", identifier)


def serialize(constraint: Any, use_legacy_format: bool = False) -> Any:
    """Return the configuration that `get` turns back into `constraint`.

    Args:
        constraint: A constraint.
        use_legacy_format: Accepted for Keras's sake: the short form is written, which every Keras reads.

    Example:
        >>> serialize(NonNeg())
        {'class_name': 'NonNeg', 'config': {}}
    """
    return registry.serialize("constraint", constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """Return the constraint that a configuration or name stands for.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes and functions of your own, by name.
        use_legacy_format: Accepted for Keras's sake: both formats are read.

    Example:
        >>> deserialize({'class_name': 'UnitNorm', 'config': {'axis': 1}}).axis
        1
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)
