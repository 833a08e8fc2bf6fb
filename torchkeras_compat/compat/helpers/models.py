"""The small functions about layers, metrics and losses that modules of old Keras had inside.

Source: `keras/utils/layer_utils.py`, Keras 1.2.2; `keras/metrics.py` and `keras/losses.py`, Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ... import losses
from ...utils.layer_utils import count_params


def count_total_params(layers: Iterable[Any], layer_set: set[Any] | None = None) -> tuple[int, int]:
    """Return how many numbers the weights of layers have that are trained, and that are not.

    Args:
        layers: The layers.
        layer_set: Layers that are not counted; those that are counted are added.

    Example:
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.Dense(2, input_dim=3), keras.layers.BatchNormalization()])
        >>> count_total_params(model.layers)
        (12, 4)
    """
    layer_set = set() if layer_set is None else layer_set
    fresh = [layer for layer in dict.fromkeys(layers) if layer not in layer_set]
    layer_set.update(fresh)
    trained = count_params([weight for layer in fresh for weight in layer.trainable_weights])
    return trained, count_params([weight for layer in fresh for weight in layer.non_trainable_weights])


def clone_metric(metric: Any) -> Any:
    """Return a metric object like another one, with nothing counted yet.

    Args:
        metric: A metric object; anything else is returned as it is.

    Example:
        >>> from torchkeras_compat import metrics
        >>> clone_metric(metrics.Mean(name='one')).name
        'one'
    """
    return type(metric).from_config(metric.get_config()) if hasattr(metric, "get_config") else metric


def clone_metrics(metrics: Any) -> Any:
    """Return metric objects like those of a list or a dictionary.

    Args:
        metrics: A list or dictionary of metric objects.

    Example:
        >>> clone_metrics(None)
    """
    if metrics is None:
        return None
    if isinstance(metrics, dict):
        return {name: clone_metric(metric) for name, metric in metrics.items()}
    return [clone_metric(metric) for metric in metrics]


def is_categorical_crossentropy(loss: Any) -> bool:
    """Tell whether a loss is the cross-entropy of one-hot targets.

    Args:
        loss: A loss function, a loss object or a name.

    Example:
        >>> is_categorical_crossentropy('categorical_crossentropy')
        True
    """
    if isinstance(loss, str):
        return loss == "categorical_crossentropy"
    function = getattr(loss, "fn", loss)
    return isinstance(loss, losses.CategoricalCrossentropy) or function is losses.categorical_crossentropy
