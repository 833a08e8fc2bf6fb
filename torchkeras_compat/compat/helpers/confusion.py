"""The helpers of `keras.utils.metrics_utils`, for metrics that users write.

Source: `keras/utils/metrics_utils.py`, Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from ... import backend as K
from ..._core.errors import argument_error, choice
from ...metrics.confusion import _top_k
from .generic import to_list
from .weighting import broadcast_weights, squeeze_or_expand_dimensions

NEG_INF = -1e10


class ConfusionMatrix(Enum):
    """The four counts of decisions."""

    TRUE_POSITIVES = "tp"
    FALSE_POSITIVES = "fp"
    TRUE_NEGATIVES = "tn"
    FALSE_NEGATIVES = "fn"


class AUCCurve(Enum):
    """The curves that `AUC` knows."""

    ROC = "ROC"
    PR = "PR"

    @staticmethod
    def from_str(key: str) -> AUCCurve:
        """Return the curve of a name, such as `'pr'`."""
        return AUCCurve(choice("AUCCurve", "key", key, ("roc", "pr")).upper())


class AUCSummationMethod(Enum):
    """The ways in which `AUC` takes the area."""

    INTERPOLATION = "interpolation"
    MAJORING = "majoring"
    MINORING = "minoring"

    @staticmethod
    def from_str(key: str) -> AUCSummationMethod:
        """Return the way of a name, such as `'Majoring'`."""
        known = [way.value for way in AUCSummationMethod]
        return AUCSummationMethod(choice("AUCSummationMethod", "key", key, known))


def assert_thresholds_range(thresholds: Sequence[float | None] | None) -> None:
    """Raise where a threshold is not between 0 and 1.

    Args:
        thresholds: The thresholds.

    Raises:
        ValueError: One is `None` or outside.

    Example:
        >>> assert_thresholds_range([0., .5])
    """
    wrong = [t for t in thresholds or () if t is None or not 0 <= t <= 1]
    if wrong:
        raise argument_error("assert_thresholds_range", "thresholds", "numbers from 0 to 1", wrong)


def parse_init_thresholds(thresholds: Any, default_threshold: float = 0.5) -> list[float]:
    """Return thresholds as a list.

    Args:
        thresholds: A number, a list of them, or `None` for the default.
        default_threshold: The default.

    Raises:
        ValueError: One is outside [0, 1].

    Example:
        >>> parse_init_thresholds(None), parse_init_thresholds((0., .3))
        ([0.5], [0.0, 0.3])
    """
    if thresholds is not None:
        assert_thresholds_range(to_list(thresholds, allow_tuple=True))
    return to_list(default_threshold if thresholds is None else thresholds, allow_tuple=True)


def filter_top_k(x: Any, k: int) -> Any:
    """Return predictions whose `k` largest of the last axis stay; the others become `NEG_INF`.

    Args:
        x: Predictions.
        k: How many stay.

    Example:
        >>> import numpy as np
        >>> filter_top_k(np.array([[1., 3., 2.]]), 2).tolist()
        [[-10000000000.0, 3.0, 2.0]]
    """
    return _top_k(K.cast(x, K.floatx()), k)


def weighted_assign_add(label: Any, pred: Any, weights: Any, var: Any) -> Any:
    """Add to a variable, for each row, the weights of the places where both are true.

    Args:
        label: Rows of truth values.
        pred: Rows of truth values.
        weights: Rows of weights; `None` counts.
        var: The variable.

    Example:
        >>> var = K.zeros((1,))
        >>> _ = weighted_assign_add(K.constant([[1, 1]], 'bool'), K.constant([[1, 0]], 'bool'), None, var)
        >>> K.get_value(var)
        array([1.], dtype=float32)
    """
    both = K.cast(label, K.floatx()) * K.cast(pred, K.floatx())
    return K.update_add(var, K.sum(both if weights is None else both * weights, 1))


def update_confusion_matrix_variables(
    variables_to_update: Mapping[ConfusionMatrix, Any] | None,
    y_true: Any,
    y_pred: Any,
    thresholds: Any = 0.5,
    top_k: int | None = None,
    class_id: int | None = None,
    sample_weight: Any = None,
) -> list[Any] | None:
    """Add a batch to the counts of decisions at each threshold.

    Args:
        variables_to_update: Which count → the variable that holds it, of shape `(thresholds,)`.
        y_true: Targets.
        y_pred: Predictions; one above the threshold is positive.
        thresholds: A number or a list of them.
        top_k: How many predictions of a row may be positive.
        class_id: The only class that is looked at.
        sample_weight: The weights of the decisions.

    Raises:
        ValueError: A key that is no `ConfusionMatrix`, or shapes that do not fit.

    Example:
        >>> tp = K.zeros((2,))
        >>> _ = update_confusion_matrix_variables(
        ...     {ConfusionMatrix.TRUE_POSITIVES: tp}, [[1., 1.]], [[.3, .9]], thresholds=[.2, .5])
        >>> K.get_value(tp)
        array([2., 1.], dtype=float32)
    """
    if variables_to_update is None:
        return None
    wrong = [key for key in variables_to_update if not isinstance(key, ConfusionMatrix)]
    if wrong or not variables_to_update:
        owner = "update_confusion_matrix_variables"
        raise argument_error(owner, "variables_to_update", "keys of ConfusionMatrix", list(variables_to_update))
    y_true, y_pred = K.cast(y_true, K.floatx()), K.cast(y_pred, K.floatx())
    weight = None if sample_weight is None else K.cast(sample_weight, K.floatx())
    y_pred, y_true, *fitted = squeeze_or_expand_dimensions(y_pred, y_true, weight)
    y_pred = y_pred if top_k is None else filter_top_k(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    weights = K.reshape(broadcast_weights(y_pred, fitted[0]), (1, -1)) if fitted else None
    limits = K.expand_dims(K.constant(to_list(thresholds, allow_tuple=True)), 1)
    positive, label = K.greater(K.reshape(y_pred, (1, -1)), limits), K.not_equal(K.reshape(y_true, (1, -1)), 0)
    for key, variable in variables_to_update.items():
        of_label = label if key.value in ("tp", "fn") else K.equal(label, False)
        decided = positive if key.value in ("tp", "fp") else K.equal(positive, False)
        weighted_assign_add(of_label, decided, weights, variable)
    return list(variables_to_update.values())
