"""The arguments of `fit`, `evaluate` and `predict` that are checked and brought into one form before anything runs."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from torch import nn

from .._core import registry
from .._core.border import user_stacklevel
from .._core.errors import argument_error, positive_int, show
from .._core.samples import Samples


def integer(method: str, argument: str, value: Any) -> int:
    """Return `value` as an int, or raise when it is no integer."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise argument_error(method, argument, "an integer", value, TypeError)
    return int(value)


def step_count(method: str, argument: str, value: Any) -> int | Samples | None:
    """Return a number of batches: `len(x) / 32` of a script is rounded up, as the steps of Keras's loop come out."""
    if value is None:
        return None
    if isinstance(value, Samples):
        return Samples(value.argument, _rounded_up(method, value.argument, value.count))
    return _rounded_up(method, argument, value)


def _rounded_up(method: str, argument: str, value: Any) -> int:
    if isinstance(value, (float, np.floating)) and math.isfinite(value):
        value = math.ceil(value)
    return positive_int(method, argument, value)


def shuffling(value: Any) -> bool | str:
    """Return `True`, `False` or `'batch'`."""
    if isinstance(value, str) and value != "batch":
        raise argument_error("fit", "shuffle", "True, False or 'batch'", value)
    return value if isinstance(value, str) else bool(value)


def frequency(value: Any) -> Any:
    """Return every how many epochs to validate, or the epochs."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return positive_int("fit", "validation_freq", value)
    if isinstance(value, str) or not hasattr(value, "__contains__"):
        raise TypeError(f"fit(validation_freq={show(value)}): validation_freq must be an integer or a list of epochs.")
    return value


def warn_of_one_unit(model: Any) -> None:
    """Warn of a softmax over a single unit, whose output is 1 whatever the weights."""
    last = model
    while getattr(last, "layers", None):
        last = last.layers[-1]
    module = getattr(last, "module", None)
    softmax = (
        type(last).__name__ == "Softmax"
        or isinstance(module, nn.Softmax)
        or registry.name_of("activation", getattr(last, "activation", None)) == "softmax"
    )
    axis = getattr(last, "axis", -1) if type(last).__name__ == "Softmax" else -1
    if softmax and isinstance(axis, int) and model.output_shape[axis] == 1:
        warnings.warn(
            f"{model.name}: a softmax over one unit is always 1, whatever is learned. Write activation='sigmoid' with "
            f"loss='binary_crossentropy', or one unit for each class.",
            stacklevel=user_stacklevel(),
        )
