"""Margin losses as metrics."""

from __future__ import annotations

from typing import Any

from .._core import registry
from ..losses.margin import categorical_hinge, hinge, squared_hinge
from .base import FunctionMetric


@registry.register("metric")
class Hinge(FunctionMetric):
    """The mean hinge loss.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.Hinge()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(1.)
    """

    fn = staticmethod(hinge)

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class SquaredHinge(FunctionMetric):
    """The mean squared hinge loss.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.SquaredHinge()([[0.0, 1.0]], [[0.5, 0.5]])
        tensor(1.2500)
    """

    fn = staticmethod(squared_hinge)

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(name, dtype)


@registry.register("metric")
class CategoricalHinge(FunctionMetric):
    """The mean categorical hinge loss.

    Args:
        name: The key in logs.
        dtype: The type it computes in.

    Example:
        >>> from torchkeras_compat import metrics
        >>> metrics.CategoricalHinge()([[0.0, 1.0]], [[0.6, 0.4]])
        tensor(1.2000)
    """

    fn = staticmethod(categorical_hinge)

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(name, dtype)
