"""`class_weight` of `fit` as a weight for each sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from ..._core.errors import argument_error, show
from .convert import to_numpy


def class_indices(y: Any) -> np.ndarray[Any, Any]:
    """Return the class of each row of one-hot, binary or integer targets.

    Raises:
        ValueError: Targets with more than two axes.
    """
    labels = to_numpy(y) if isinstance(y, Tensor) else np.asarray(y)
    if labels.ndim > 2:
        raise ValueError(
            f"class_weight needs targets with one class a sample; got shape {labels.shape}. Use sample_weight instead."
        )
    if labels.ndim == 2 and labels.shape[1] > 1:
        return labels.argmax(1)  # type: ignore[no-any-return]
    return labels.reshape(-1).astype(np.int64)


def weights_by_class(y: Any, class_weight: Any) -> np.ndarray[Any, Any]:
    """Return each row's weight by its class.

    Args:
        y: Targets.
        class_weight: `{class: weight}`, or `'balanced'` for rows / (classes × rows of the class).

    Raises:
        ValueError: Anything else, or a class of `y` that has no weight.
    """
    labels = class_indices(y)
    present, counts = np.unique(labels, return_counts=True)
    if isinstance(class_weight, str) and class_weight == "balanced":
        class_weight = dict(zip(present.tolist(), (len(labels) / (len(present) * counts)).tolist()))
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


def combined_weight(y: Any, sample_weight: Any, class_weight: Any, ignored: Callable[[], None] | None) -> Any:
    """Return the product of both kinds of weights, or whichever there is.

    Args:
        y: Targets, for `class_weight`.
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
    return weight * by_class.reshape(-1, *(1,) * (weight.ndim - 1))
