"""The helpers of `keras.utils.losses_utils`.

Source: `keras/utils/losses_utils.py`, Keras 2.3.1.
"""

from __future__ import annotations

from typing import Any

from ... import backend as K
from ...losses.base import Reduction, fit_weight, reduced


def squeeze_or_expand_dimensions(y_pred: Any, y_true: Any = None, sample_weight: Any = None) -> tuple[Any, ...]:
    """Drop or add a last axis of length 1, so that predictions, targets and weights have one rank.

    Args:
        y_pred: Predictions.
        y_true: Targets.
        sample_weight: Weights; a number stays one.

    Returns:
        Predictions and targets, and the weights where they are given.

    Example:
        >>> import numpy as np
        >>> y_pred, y_true = squeeze_or_expand_dimensions(np.ones((3, 1)), np.ones(3))
        >>> tuple(y_pred.shape), tuple(y_true.shape)
        ((3,), (3,))
    """
    if y_true is not None:
        more = K.ndim(y_pred) - K.ndim(y_true)
        if more == 1 and K.int_shape(y_pred)[-1] == 1:
            y_pred = K.squeeze(y_pred, -1)
        elif more == -1 and K.int_shape(y_true)[-1] == 1:
            y_true = K.squeeze(y_true, -1)
    if sample_weight is None:
        return y_pred, y_true
    rank, of_weight = K.ndim(y_pred), K.ndim(sample_weight)
    if rank == 0 and of_weight == 1:
        y_pred = K.expand_dims(y_pred, -1)
    elif of_weight - rank == 1:
        sample_weight = K.squeeze(sample_weight, -1)
    elif of_weight and rank - of_weight == 1:
        sample_weight = K.expand_dims(sample_weight, -1)
    return y_pred, y_true, sample_weight


def broadcast_weights(values: Any, sample_weight: Any) -> Any:
    """Return weights in the shape of the values that they are for.

    Args:
        values: Values.
        sample_weight: Weights of the same first axes.

    Raises:
        ValueError: The shapes do not fit.

    Example:
        >>> import numpy as np
        >>> broadcast_weights(np.ones((2, 3)), np.array([1., 2.])).tolist()
        [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]
    """
    values = K.cast(values, K.floatx())
    return K.ones_like(values) * fit_weight(K.cast(sample_weight, K.floatx()), values)


def reduce_weighted_loss(weighted_losses: Any, reduction: str = Reduction.SUM_OVER_BATCH_SIZE) -> Any:
    """Return the mean or the sum of losses, or the losses.

    Args:
        weighted_losses: The losses.
        reduction: A name of `Reduction`.

    Example:
        >>> import numpy as np
        >>> float(reduce_weighted_loss(np.array([1., 3.])))
        2.0
    """
    return reduced(K.cast(weighted_losses, K.floatx()), reduction)


def compute_weighted_loss(
    losses: Any, sample_weight: Any = None, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None
) -> Any:
    """Return the mean or the sum of losses times their weights, or the products.

    Args:
        losses: Losses, one a sample or more.
        sample_weight: Their weights.
        reduction: A name of `Reduction`.
        name: Of no effect.

    Raises:
        ValueError: Another reduction, or shapes that do not fit.

    Example:
        >>> import numpy as np
        >>> float(compute_weighted_loss(np.array([1., 3.]), np.array([1., 0.]), 'sum'))
        1.0
    """
    Reduction.validate(reduction)
    losses = K.cast(losses, K.floatx())
    if sample_weight is not None:
        sample_weight = K.cast(sample_weight, K.floatx())
        losses, _, sample_weight = squeeze_or_expand_dimensions(losses, None, sample_weight)
        losses = losses * broadcast_weights(losses, sample_weight)
    return reduce_weighted_loss(losses, reduction)
