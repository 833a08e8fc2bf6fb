"""A learning rate by epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core import registry
from .base import Callback
from .monitor import get_rate, set_rate


@registry.register("callback")
class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: A function of the epoch's index, or of the index and the rate so far.
        verbose: Whether to say so.

    Raises:
        ValueError: The function returns no number.

    Example:
        >>> import torchkeras_compat as keras
        >>> callback = keras.callbacks.LearningRateScheduler(lambda epoch: .1 / (epoch + 1))
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        try:
            takes_two = len(inspect.signature(self.schedule).parameters) > 1
        except ValueError:  # a builtin without signature takes the epoch
            takes_two = False
        rate = self.schedule(epoch, get_rate(optimizer)) if takes_two else self.schedule(epoch)
        if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)):
            raise ValueError(f"LearningRateScheduler: schedule({epoch}) must return a number; got {rate!r}.")
        set_rate(optimizer, float(rate))
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the rate."""
        if logs is not None:
            logs["lr"] = get_rate(self.model.optimizer)
