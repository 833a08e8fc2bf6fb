"""Callbacks that set the learning rate: by epoch, or when a value no longer improves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core import registry
from .._core.errors import argument_error, show
from .._core.progress import say
from ..backend import floatx, get_value
from ..optimizers import Optimizer
from ..optimizers.schedules import LearningRateSchedule
from .base import Callback
from .monitor import Monitor


def get_rate(optimizer: Any) -> float:
    """Return the learning rate of an optimizer of ours or of torch's; of a schedule, that of the next step.

    It is the number nearest to it in the type in which Keras keeps rates: what is computed from it has Keras's digits.
    """
    if not hasattr(optimizer, "lr"):
        return float(optimizer.param_groups[0]["lr"])
    rate = optimizer.lr
    return float(get_value(rate(optimizer.iterations) if callable(rate) else rate))


def schedule_of(optimizer: Any) -> LearningRateSchedule | None:
    """Return the schedule that the learning rate of an optimizer follows, `None` where it follows none."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of one that scales losses
    schedule = inner._rate.schedule if isinstance(inner, Optimizer) else None
    return schedule if isinstance(schedule, LearningRateSchedule) else None


def shown_rate(optimizer: Any) -> float:
    """Return the learning rate as histories have it: with as few digits as say which number it is for Keras."""
    rate = get_rate(optimizer)
    return rate if not hasattr(optimizer, "lr") or floatx() == "float64" else float(str(np.float32(rate)))


def set_rate(optimizer: Any, rate: float) -> None:
    """Set the learning rate of an optimizer of ours or of torch's."""
    if hasattr(optimizer, "lr"):
        schedule = schedule_of(optimizer)
        if schedule is not None:
            raise TypeError(
                f"the learning rate of {type(optimizer).__name__} follows {show(schedule)}, which a callback "
                f"cannot set; make the optimizer with a number."
            )
        optimizer.lr = rate
        return
    for group in optimizer.param_groups:
        group["lr"] = rate


@registry.register("callback")
class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: A function of the epoch's index, or of the index and the rate so far.
        verbose: Whether to say so.

    Raises:
        ValueError: The function returns no number.
        TypeError: The optimizer's rate follows a schedule of its own.

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
        arguments = (epoch, get_rate(optimizer)) if _takes_two(self.schedule) else (epoch,)
        value = self.schedule(*arguments)
        if np.ndim(value) or isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
            raise ValueError(f"LearningRateScheduler: schedule({epoch}) must return a number; got {show(value)}.")
        rate = float(value)
        set_rate(optimizer, rate)
        if self.verbose:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the rate."""
        if logs is not None:
            logs["lr"] = shown_rate(self.model.optimizer)


def _takes_two(schedule: Callable[..., Any]) -> bool:
    """Tell whether the function can be called with the epoch and the rate; Keras tries that first."""
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except (TypeError, ValueError):  # only one argument; a builtin that has no signature
        return False
    return True


@registry.register("callback")
class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a value has not improved for some epochs.

    Args:
        monitor: The value.
        factor: What the rate is multiplied by.
        patience: Epochs without improvement after which it is.
        verbose: Whether to say so.
        mode: `'min'`, `'max'` or `'auto'`.
        min_delta: The least change that counts.
        cooldown: Epochs after a change in which nothing is counted.
        min_lr: The lowest rate.

    Raises:
        ValueError: `factor` is 1 or more.
        TypeError: The optimizer's rate follows a schedule of its own.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.callbacks.ReduceLROnPlateau(factor=.2, patience=5).factor
        0.2
    """

    _backed_up = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 0.0001,
        cooldown: int = 0,
        min_lr: float = 0,
    ) -> None:
        super().__init__(monitor, mode)
        self.min_delta = float(min_delta)
        self.monitor_op = self._greater if self.maximise else self._less
        if factor >= 1.0:
            raise argument_error("ReduceLROnPlateau", "factor", "less than 1", factor)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._begin()

    def _greater(self, value: float, best: float) -> bool:
        return value > best + self.min_delta

    def _less(self, value: float, best: float) -> bool:
        return value < best - self.min_delta

    @property
    def maximise(self) -> bool:
        """Whether more is better."""
        return self.monitor_op in (np.greater, self._greater)

    def _begin(self) -> None:
        self.best = self.worst
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Start afresh."""
        self._begin()

    def in_cooldown(self) -> bool:
        """Tell whether nothing is counted just now."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare the value with the best so far."""
        rate = get_rate(self.model.optimizer)
        if logs is not None:
            logs["lr"] = shown_rate(self.model.optimizer)
        value = self.get_monitor_value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            # In float32, as Keras compares them: one that was set to min_lr is not above it.
            if self.wait >= self.patience and np.float32(rate) > np.float32(self.min_lr):
                self._lower(epoch, max(rate * self.factor, self.min_lr))

    def _lower(self, epoch: int, rate: float) -> None:
        set_rate(self.model.optimizer, rate)
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
