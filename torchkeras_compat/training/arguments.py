"""The arguments of `fit`, `evaluate` and `predict` that are checked and brought into one form before anything runs."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from torch import Tensor, nn

from .._core import registry
from .._core.border import user_stacklevel
from .._core.errors import argument_error, positive_int, show
from .._core.samples import Samples
from .._core.shapes import Shape, compatible, one_sample_hint
from .data.sparse import SparseRows


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


def batches_of(steps: int | Samples | None, batch_size: int | None) -> int | None:
    """Return how many batches of arrays these steps are; `None` for a stream, which counts samples itself."""
    if not isinstance(steps, Samples):
        return steps
    return None if batch_size is None else -(-steps.count // batch_size)


def samples_of(steps: int | Samples | None) -> Samples | None:
    """Return the steps where they are samples."""
    return steps if isinstance(steps, Samples) else None


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


def warn_of_values(model: str, x: Any, y: Any = None) -> None:
    """Warn of NaN and infinity in inputs or targets, which make the loss NaN or infinite."""
    for name, array in (("x", x), ("y", y)):
        held = _not_finite(array)
        if held:
            warnings.warn(
                f"{model}: {name} holds {held}; the loss will be {LOSSES[held]}.", stacklevel=user_stacklevel()
            )


LOSSES = {"NaN": "NaN", "infinity": "NaN or infinite"}


def _not_finite(array: Any) -> str | None:
    """Return `'NaN'`, `'infinity'` or `None`; one sum tells for arrays that hold neither."""
    if array is None:
        return None
    values: Any = array.stored() if isinstance(array, SparseRows) else array
    if not (values.is_floating_point() if isinstance(values, Tensor) else values.dtype.kind == "f"):
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        total = float(values.sum())
    if total - total == 0:
        return None
    if bool((values != values).any()):  # NaN alone is unequal to itself
        return "NaN"
    return "infinity" if bool((abs(values) == math.inf).any()) else None  # else the sum alone is too large


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


def expect_samples(model: Any, x: Any, y: Any, shape: Shape | None) -> None:
    """Raise when `x` is one sample without the axis of samples, before its rows are counted against those of `y`.

    Args:
        model: The model.
        x: The inputs.
        y: The targets as they were given.
        shape: The shape of the inputs, where it is known.
    """
    hint = "" if shape is None else one_sample_hint(shape, tuple(x.shape))
    if not shape or not hint:
        return
    as_rows = shape[-1] == 1 or (x.ndim == 1 and shape[-1] is None)  # then it can be many samples that miss an axis
    target = tuple(getattr(y, "shape", np.shape(y) if np.isscalar(y) else (len(y),)))
    one_target = not target or (target[0] != len(x) and compatible(model.output_shape[1:], target))
    if not as_rows or one_target:
        raise ValueError(f"{model}: x must have shape {shape}; got {(None, *x.shape[1:])}.{hint}")


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
    warnings.warn(text, stacklevel=user_stacklevel())
