"""Regularizers: objects that turn a weight, or what a layer gives out, into a penalty to add to the loss."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ._core import registry
from ._core.config import Configurable
from ._core.errors import argument_error, choice
from ._core.operations import of_an_object


@registry.base("regularizer")
class Regularizer(Configurable):
    """Base of the regularizers; a subclass defines `__call__(x)` and returns a tensor without axes.

    Example:
        >>> class Cubes(Regularizer):
        ...     def __call__(self, x):
        ...         return x.abs().pow(3).sum()
        >>> Cubes()(torch.tensor([1.0, -2.0]))
        tensor(9.)
    """

    def __init__(self) -> None:
        pass  # there for its signature: an argument is refused by name

    @of_an_object
    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty of `x`."""
        raise NotImplementedError(f"{type(self).__name__}: a regularizer must define __call__(self, x).")


def _penalty(owner: object, argument: str, value: Any, default: float = 0.0) -> float:
    if value is None:
        return default
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise argument_error(type(owner).__name__, argument, "a number", value)
    if not math.isfinite(value):
        raise argument_error(type(owner).__name__, argument, "a finite number", value)
    return float(value)


@registry.register("regularizer")
class L1L2(Regularizer):
    """Penalise `l1 * sum(abs(x)) + l2 * sum(x ** 2)`.

    Args:
        l1: Factor of the absolute values.
        l2: Factor of the squares.

    Shape:
        Any; the result has no axes.

    Raises:
        ValueError: A factor is not a finite number.

    Example:
        >>> L1L2(l1=1.0, l2=10.0)(torch.tensor([1.0, -2.0]))
        tensor(53.)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _penalty(self, "l1", l1)
        self.l2 = _penalty(self, "l2", l2)

    @of_an_object
    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty of `x`."""
        if not self.l1:
            return self.l2 * x.square().sum()
        if not self.l2:
            return self.l1 * x.abs().sum()
        return self.l1 * x.abs().sum() + self.l2 * x.square().sum()


@registry.register("regularizer")
class L1(Regularizer):
    """Penalise `l1 * sum(abs(x))`.

    Args:
        l1: The factor.

    Shape:
        Any; the result has no axes.

    Raises:
        ValueError: The factor is not a finite number.

    Example:
        >>> L1(0.5)(torch.tensor([1.0, -3.0]))
        tensor(2.)
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _penalty(self, "l1", l1, 0.01)

    @of_an_object
    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty of `x`."""
        return self.l1 * x.abs().sum()


@registry.register("regularizer")
class L2(Regularizer):
    """Penalise `l2 * sum(x ** 2)`.

    Args:
        l2: The factor.

    Shape:
        Any; the result has no axes.

    Raises:
        ValueError: The factor is not a finite number.

    Example:
        >>> L2(0.5)(torch.tensor([1.0, -3.0]))
        tensor(5.)
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _penalty(self, "l2", l2, 0.01)

    @of_an_object
    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty of `x`."""
        return self.l2 * x.square().sum()


@registry.register("regularizer", "orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """Penalise rows, or columns, of a matrix that are not orthogonal: the mean size of their cosines.

    Args:
        factor: The factor.
        mode: `'rows'` or `'columns'`.

    Shape:
        A matrix; the result has no axes.

    Raises:
        ValueError: The factor is not a finite number, the mode is unknown, or `x` is no matrix.

    Source:
        `keras.regularizers.OrthogonalRegularizer`, Keras 2.15.

    Example:
        >>> OrthogonalRegularizer(1.0)(torch.eye(3))
        tensor(0.)
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _penalty(self, "factor", factor, 0.01)
        self.mode = choice("OrthogonalRegularizer", "mode", mode, ("rows", "columns"))

    @of_an_object
    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty of the matrix `x`."""
        if x.ndim != 2:
            raise argument_error("OrthogonalRegularizer", "x", "a matrix", x)
        rows = F.normalize(x if self.mode == "rows" else x.T, dim=1, eps=1e-6)
        cosines = rows @ rows.T
        size = rows.shape[0]
        others = cosines * (1 - torch.eye(size, dtype=x.dtype, device=x.device))
        return self.factor * others.abs().sum() / max(size * (size - 1), 1)


@registry.register("regularizer", "l1l2")
class l1_l2:
    """Make `L1L2(l1, l2)` with .01 for both: what the string `'l1_l2'` means.

    Args:
        l1: Factor of the absolute values.
        l2: Factor of the squares.

    Example:
        >>> l1_l2().get_config()
        {'l1': 0.01, 'l2': 0.01}
    """

    def __new__(cls, l1: float = 0.01, l2: float = 0.01) -> L1L2:  # type: ignore[misc]
        """Make the regularizer."""
        return L1L2(l1=l1, l2=l2)


l1 = L1
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer


def get(identifier: Any) -> Any:
    """Return the regularizer that a name, a configuration, a class or a callable stands for; `None` is `None`.

    Args:
        identifier: Such as `'l2'`, `L1(0.1)` or `lambda w: …`.

    Raises:
        ValueError: An unknown name.

    Example:
        >>> get('l2').l2
        0.01
    """
    return registry.get("regularizer", identifier)


def serialize(regularizer: Any, use_legacy_format: bool = False) -> Any:
    """Return the configuration that `get` turns back into `regularizer`.

    Args:
        regularizer: A regularizer.
        use_legacy_format: Accepted for Keras's sake: the short form is written, which every Keras reads.

    Example:
        >>> serialize(L2(0.1))
        {'class_name': 'L2', 'config': {'l2': 0.1}}
    """
    return registry.serialize("regularizer", regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """Return the regularizer that a configuration or name stands for.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes and functions of your own, by name.
        use_legacy_format: Accepted for Keras's sake: both formats are read.

    Example:
        >>> deserialize({'class_name': 'L1L2', 'config': {'l1': 0.1}}).l1
        0.1
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)
