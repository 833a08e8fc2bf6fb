"""`class_weight` of `fit` as a weight for each sample."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ..._core.border import user_stacklevel
from ..._core.errors import and_list, argument_error, show
from ..._core.tree import is_branch
from .convert import to_numpy
from .signature import FedModel, ModelOutput, by_key_or_name
from .standardize import Arrays, expect_outputs, names_and_keys


def class_indices(y: Any) -> np.ndarray[Any, Any]:
    """Return the class of each sample, step or point of one-hot, binary or integer targets: of the last axis."""
    labels = to_numpy(y) if isinstance(y, Tensor) else np.asarray(y)
    if labels.ndim > 1 and labels.shape[-1] > 1:
        return labels.argmax(-1)  # type: ignore[no-any-return]
    classes: np.ndarray[Any, Any] = np.rint(labels if labels.ndim < 2 else labels[..., 0])
    return classes.astype(np.int64)


def weights_by_class(y: Any, class_weight: Any) -> np.ndarray[Any, Any]:
    """Return the weight of each sample, step or point by its class.

    Args:
        y: Targets.
        class_weight: `{class: weight}`, or `'balanced'` for targets / (classes × targets of the class).

    Raises:
        ValueError: Anything else, or a class of `y` that has no weight.
    """
    labels = class_indices(y)
    present, counts = np.unique(labels, return_counts=True)
    if isinstance(class_weight, str) and class_weight == "balanced":
        class_weight = dict(zip(present.tolist(), (labels.size / (len(present) * counts)).tolist()))
    if hasattr(class_weight, "__len__") and not isinstance(class_weight, (dict, str)):
        raise ValueError(
            f"fit(class_weight={show(class_weight)}): class_weight must be a dictionary {{class: weight}}; write "
            f"class_weight=dict(enumerate(weights)), which counts the classes from 0."
        )
    if not isinstance(class_weight, dict):
        raise argument_error("fit", "class_weight", "a dictionary {class: weight} or 'balanced'", class_weight)
    if not all(isinstance(k, (int, float, np.number)) and float(k).is_integer() for k in class_weight):
        raise argument_error("fit", "class_weight", "a dictionary whose keys are class indices", class_weight)
    table = {int(k): float(v) for k, v in class_weight.items()}
    missing = [int(c) for c in present if int(c) not in table]
    if missing:
        raise ValueError(
            f"class_weight has no weight for the classes {missing}, which stand in y; give every class one."
        )
    return np.array([table[int(c)] for c in present], dtype="float32")[np.searchsorted(present, labels)]


def weights_by_output(class_weight: Any, outputs: Sequence[ModelOutput] | None, model: FedModel) -> list[Any]:
    """Return the class weights of each output, `None` for those without.

    Args:
        class_weight: `{class: weight}` for one output; for several a dictionary of them by name, or a list in the order
            of the outputs, as in Keras up to 2.3.
        outputs: The outputs, `None` where they are not known: then there is one.
        model: The model.

    Raises:
        ValueError: Class weights that do not say for which of several outputs, or an unknown name.
    """
    n = 1 if outputs is None else len(outputs)
    if class_weight is None or (isinstance(class_weight, dict) and not class_weight):
        return [None] * n
    listed = isinstance(class_weight, (list, tuple)) and len(class_weight) == n
    if listed and (n > 1 or isinstance(class_weight[0], dict)):
        return list(class_weight)
    if outputs is None:
        return [class_weight]
    by_name = isinstance(class_weight, dict) and all(isinstance(key, str) for key in class_weight)
    if by_name and (n > 1 or outputs[0].name in class_weight or outputs[0].key in class_weight):
        expect_outputs(class_weight, "class_weight", outputs, model)
        return by_key_or_name(class_weight, *names_and_keys(outputs))
    if n == 1:
        return [class_weight]
    raise ValueError(
        f"class_weight={show(class_weight)} does not say for which of the outputs "
        f"{and_list(repr(output.name) for output in outputs)} of {model} it is; write "
        f"class_weight={{{outputs[-1].name!r}: {{class: weight}}}}."
    )


def combined_weight(y: Any, sample_weight: Any, class_weight: Any, ignored: Callable[[], None] | None) -> Any:
    """Return the product of both kinds of weights, or whichever there is.

    Args:
        y: Targets of one output, for `class_weight`.
        sample_weight: A weight for each row (or time step).
        class_weight: Weights by class.
        ignored: Called, and `class_weight` left out, where the dialect lets `sample_weight` win.
    """
    if class_weight is None or y is None or (isinstance(class_weight, dict) and not class_weight):
        return sample_weight
    by_class = weights_by_class(y, class_weight)
    if sample_weight is None:
        return by_class
    if ignored is not None:
        ignored()
        return sample_weight
    weight = to_numpy(sample_weight) if isinstance(sample_weight, Tensor) else np.asarray(sample_weight)
    axes = max(weight.ndim, by_class.ndim)  # weights of samples count for all their steps
    weight, by_class = (w.reshape(*w.shape, *(1,) * (axes - w.ndim)) for w in (weight, by_class))
    return weight * by_class


def with_class_weight(
    arrays: Arrays,
    class_weight: Any,
    outputs: Sequence[ModelOutput] | None,
    model: FedModel,
    ignored: Callable[[], None] | None,
) -> Arrays:
    """Return the arrays with sample weights that have class weights in them.

    Args:
        arrays: Inputs, targets and sample weights.
        class_weight: As `fit` takes it.
        outputs: The outputs, `None` where they are not known.
        model: The model.
        ignored: As in `combined_weight`.
    """
    if class_weight is None or arrays.y is None:
        return arrays
    if outputs is None and is_branch(arrays.y):
        raise ValueError(
            f"class_weight needs the targets of one output in one array, for which {model} has a step of its own; got "
            f"{show(arrays.y)}. Use sample_weight instead."
        )
    shares = weights_by_output(class_weight, outputs, model)
    if len(shares) == 1:
        return arrays._replace(weight=combined_weight(arrays.y, arrays.weight, shares[0], ignored))
    weights = [None] * len(shares) if arrays.weight is None else arrays.weight
    combined = [combined_weight(y, w, share, ignored) for y, w, share in zip(arrays.y, weights, shares)]
    return arrays._replace(weight=combined)


def say_class_weight_is_ignored() -> None:
    """Say that `sample_weight` wins over `class_weight`."""
    text = "class_weight is ignored where sample_weight is given, as in Keras up to 2.2."
    warnings.warn(text, stacklevel=user_stacklevel())
