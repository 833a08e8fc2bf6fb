"""Which way of stepping suits an optimizer."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from ..._core.weights import Weight
from ...mixed_precision import LossScaleOptimizer
from ...optimizers import Optimizer
from .classic_update import ClassicUpdate
from .method_update import MethodUpdate
from .scaled_update import ScaledUpdate
from .update import ClosureUpdate, KerasUpdate, TorchUpdate, Update
from .variable_update import VariableUpdate


def _asks_for_closure(optimizer: Any) -> bool:
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is closure.empty


def choose_update(optimizer: Any, table: Sequence[Weight], flat_allowed: bool = True) -> Update:
    """Return the way that suits the optimizer.

    Args:
        optimizer: The optimizer.
        table: The weights to train.
        flat_allowed: `False` once parameters have been moved away repeatedly, as when two models train them in turn.
    """
    if not table:
        return Update(optimizer, table)
    if isinstance(optimizer, Optimizer) and optimizer.has_own_updates:
        return ClassicUpdate(optimizer, table)
    if isinstance(optimizer, Optimizer) and optimizer.own_methods:
        return MethodUpdate(optimizer, table)
    if isinstance(optimizer, Optimizer) and optimizer.has_own_steps:
        return VariableUpdate(optimizer, table)
    if isinstance(optimizer, LossScaleOptimizer):
        return ScaledUpdate(optimizer, table, flat_allowed)
    if isinstance(optimizer, Optimizer):
        return KerasUpdate(optimizer, table, flat_allowed)
    return ClosureUpdate(optimizer, table) if _asks_for_closure(optimizer) else TorchUpdate(optimizer, table)
