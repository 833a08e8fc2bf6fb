"""The numbers of `keras.utils.np_utils` in Keras 1.

Source: `keras/utils/np_utils.py`, Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def probas_to_classes(y_pred: Any) -> Array:
    """Return the class of each sample: the largest of its probabilities, or whether the only one is over a half.

    Args:
        y_pred: Probabilities, `(samples, classes)`, `(samples, 1)` or `(samples,)`.

    Example:
        >>> probas_to_classes([[.2, .8], [.9, .1]])
        array([1, 0])
    """
    y_pred = np.asarray(y_pred)
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return categorical_probas_to_classes(y_pred)
    return np.asarray(y_pred.reshape(len(y_pred)) > 0.5, int)


def categorical_probas_to_classes(p: Any) -> Array:
    """Return the position of the largest probability of each sample.

    Args:
        p: Probabilities, `(samples, classes)`.

    Example:
        >>> categorical_probas_to_classes([[.2, .8], [.9, .1]])
        array([1, 0])
    """
    return np.asarray(np.argmax(np.asarray(p), axis=1))


def binary_logloss(p: Any, y: Any) -> Any:
    """Return the mean binary cross-entropy of probabilities, clipped to 1e-15.

    Args:
        p: Probabilities.
        y: Targets, 0 or 1.

    Example:
        >>> float(binary_logloss([.5, .5], [0, 1]))
        0.693...
    """
    p, y = np.clip(np.asarray(p, float), 1e-15, 1 - 1e-15), np.asarray(y, float)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p), axis=0) / len(y)


def multiclass_logloss(p: Sequence[Any], y: Sequence[int]) -> Any:
    """Return the mean cross-entropy; classes are counted from 1.

    Args:
        p: Probabilities, `(samples, classes)`.
        y: The class of each sample, from 1 on.

    Example:
        >>> float(multiclass_logloss([[.5, .5]], [1]))
        0.693...
    """
    return -np.mean([np.log(p[i][label - 1]) for i, label in enumerate(y)])


def accuracy(p: Sequence[Any], y: Sequence[Any]) -> Any:
    """Return the fraction of equal items.

    Args:
        p: Predicted classes.
        y: True classes.

    Example:
        >>> float(accuracy([1, 2], [1, 3]))
        0.5
    """
    return np.mean([a == b for a, b in zip(p, y)])
