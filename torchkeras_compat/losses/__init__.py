"""Losses: what training makes small, by name, function and class."""

from __future__ import annotations

from typing import Any

from .._core import registry
from . import checks
from .base import FunctionLoss, Loss, Reduction
from .crossentropy import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    sparse_categorical_crossentropy,
)
from .fusion import fused, fused_mean
from .margin import CategoricalHinge, Hinge, SquaredHinge, categorical_hinge, hinge, squared_hinge
from .regression import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)
from .resolution import Resolved, resolve
from .similarity import CosineSimilarity, KLDivergence, cosine_proximity, cosine_similarity, kl_divergence

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
huber_loss = huber
cosine = cosine_proximity


def get(identifier: Any) -> Any:
    """Return the loss that a name, configuration, class, instance or function stands for.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.get('mse').__name__
        'mean_squared_error'
    """
    return registry.get("loss", identifier)


def serialize(loss: Any, use_legacy_format: bool = False) -> Any:
    """Return the name or configuration that `get` turns back into `loss`.

    Args:
        loss: A loss function or object.
        use_legacy_format: Taken for Keras's sake; there is one format.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.serialize(losses.mse)
        'mean_squared_error'
    """
    return registry.serialize("loss", loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Any:
    """Return the loss that a name or configuration describes.

    Args:
        name: What `serialize` returned.
        custom_objects: The user's own classes and functions by name.
        use_legacy_format: Taken for Keras's sake; there is one format.

    Example:
        >>> from torchkeras_compat import losses
        >>> losses.deserialize({'class_name': 'Huber', 'config': {'delta': 2.0}}).delta
        2.0
    """
    with registry.custom_object_scope(custom_objects):
        return registry.get("loss", name)


__all__ = [
    "BCE",
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "FunctionLoss",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Reduction",
    "Resolved",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "bce",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "checks",
    "cosine",
    "cosine_proximity",
    "cosine_similarity",
    "deserialize",
    "fused",
    "fused_mean",
    "get",
    "hinge",
    "huber",
    "huber_loss",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]
