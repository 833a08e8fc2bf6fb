"""The arguments of `fit`, `evaluate` and `predict` that are checked and brought into one form before anything runs."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from torch import Tensor

from .._core.border import outside
from .._core.errors import argument_error, positive_int, show
from .._core.shapes import Shape, compatible


def integer(method: str, argument: str, value: Any) -> int:
    """Return `value` as an int, or raise when it is no integer."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise argument_error(method, argument, "an integer", value, TypeError)
    return int(value)


def step_count(method: str, argument: str, value: Any) -> int | None:
    """Return a number of batches: `len(x) / 32` of a script is rounded up, as the steps of Keras's loop come out."""
    if value is None:
        return None
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


def need_x(method: str, x: Any) -> None:
    """Raise when there is no input."""
    if x is None:
        raise ValueError(f"{method}(x=None): x is missing; give the inputs.")


def need_y(method: str, y: Any, loss: Any) -> None:
    """Raise when a loss has no targets."""
    if y is None and loss is not None:
        raise ValueError(f"{method}(y=None): y is missing; the model was compiled with a loss, which needs targets.")


def warn_of_nan(model: str, x: Any) -> None:
    """Warn when `x` holds NaN."""
    if not (x.is_floating_point() if isinstance(x, Tensor) else x.dtype.kind == "f"):
        return
    with np.errstate(invalid="ignore"):
        total = float(x.sum())
    if total - total != 0 and bool((x != x).any()):  # NaN and infinity reach the sum; NaN alone is unequal to itself
        warnings.warn(f"{model}: x holds NaN; the loss will be NaN.", stacklevel=outside())


def fitted_weight(weight: Tensor, output: Shape, by_element: bool) -> Tensor:
    """Return sample weights without superfluous axes, or raise when they do not fit the model's output.

    Args:
        weight: One for each sample, or for each sample and time step.
        output: The output shape of the model.
        by_element: Whether the loss is a user's, which may have a value for each number of the output.
    """
    fitted = weight
    while fitted.dim() > 1 and fitted.shape[-1] == 1:
        fitted = fitted.squeeze(-1)
    most = len(output) if by_element else max(len(output) - 1, 1)
    if fitted.dim() > most or not compatible((None, *output[1 : fitted.dim()]), fitted.shape):
        raise ValueError(
            f"sample_weight of shape {tuple(weight.shape)} does not fit the output {output}; give one weight per "
            f"sample, or one per sample and time step."
        )
    return fitted


def class_weight_ignored() -> None:
    """Say that `sample_weight` wins over `class_weight`."""
    text = "class_weight is ignored where sample_weight is given, as in Keras up to 2.2."
    warnings.warn(text, stacklevel=outside())
