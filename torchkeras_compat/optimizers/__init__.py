"""Optimizers: Keras's names, arguments and formulas over `torch.optim.Optimizer`."""

from __future__ import annotations

from typing import Any

import torch

from .._core import dialects, registry
from . import experimental, legacy, schedules
from ._adam import Adam, Adamax, AdamW, Nadam
from ._adaptive import Adadelta, Adafactor, Adagrad, Ftrl
from ._lion import Lion
from ._rmsprop import RMSprop
from ._sgd import SGD
from .hyperparameters import Hyperparameter, Iterations
from .optimizer import Optimizer
from .slots import Binding

# Scripts of every era call the lower-case names.
sgd, rmsprop, adagrad, adadelta = SGD, RMSprop, Adagrad, Adadelta
adam, adamax, nadam, ftrl = Adam, Adamax, Nadam, Ftrl


def get(identifier: Any, *, dialect: str | None = None) -> torch.optim.Optimizer:
    """Return the optimizer that `identifier` names.

    Args:
        identifier: A name in any case, a configuration, a class or an instance; torch's own optimizers pass through.
        dialect: The dialect under which a new one is made; the current one if `None`.

    Raises:
        ValueError: No optimizer has this name.

    Example:
        >>> from torchkeras_compat import optimizers
        >>> optimizers.get('RMSPROP').rho
        0.9
    """
    if isinstance(identifier, torch.optim.Optimizer):
        return identifier
    if isinstance(identifier, dict):
        with dialects.using(dialect or _dialect_of(identifier)):
            made: Optimizer = registry.get("optimizer", identifier)
            return made
    optimizer: Optimizer = registry.get("optimizer", identifier, dialect=dialect)
    return optimizer


def _dialect_of(config: dict[str, Any]) -> str:
    """Return the dialect that the optimizer of a configuration belongs to: the current one, where it does not say.

    The newer optimizers have no `decay`, so that a configuration with one, of an older file, is of a legacy one.
    """
    own, current = config.get("config"), dialects.current()
    keys = own if isinstance(own, dict) else {}
    legacy = config.get("module") == f"keras.{dialects.LEGACY_OPTIMIZERS}" or keys.get("is_legacy_optimizer")
    if legacy or (current is dialects.KERAS_2_15 and "decay" in keys):
        return dialects.TF_KERAS.name
    return current.name


def serialize(optimizer: Optimizer, use_legacy_format: bool = False) -> dict[str, Any]:
    """Return `{'class_name': …, 'config': …}`; both formats of Keras 2.15 are one here.

    One of `optimizers.legacy` has its module in it where the newer optimizers are meant otherwise.

    Args:
        optimizer: The optimizer.
        use_legacy_format: Accepted.

    Example:
        >>> from torchkeras_compat import optimizers
        >>> optimizers.serialize(optimizers.SGD(0.1))['class_name']
        'SGD'
    """
    config: dict[str, Any] = registry.serialize("optimizer", optimizer)
    if dialects.of(optimizer) is dialects.TF_KERAS and dialects.current() is dialects.KERAS_2_15:
        return {"module": f"keras.{dialects.LEGACY_OPTIMIZERS}", **config, "registered_name": None}
    return config


def deserialize(
    config: dict[str, Any], custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False
) -> Optimizer:
    """Make the optimizer that a configuration describes.

    Args:
        config: `{'class_name': …, 'config': …}`.
        custom_objects: The user's classes by name.
        use_legacy_format: Accepted; both formats of Keras 2.15 are one here.

    Example:
        >>> from torchkeras_compat import optimizers
        >>> optimizers.deserialize(optimizers.serialize(optimizers.SGD(0.1))).lr
        0.1
    """
    with registry.custom_object_scope(custom_objects), dialects.using(_dialect_of(config)):
        optimizer: Optimizer = registry.deserialize("optimizer", config)
        return optimizer


__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Binding",
    "Ftrl",
    "Hyperparameter",
    "Iterations",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "deserialize",
    "experimental",
    "ftrl",
    "get",
    "legacy",
    "nadam",
    "rmsprop",
    "schedules",
    "serialize",
    "sgd",
]
