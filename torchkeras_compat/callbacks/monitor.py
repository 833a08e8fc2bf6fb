"""Callbacks that watch one metric: stopping, slowing down, saving the best."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._core import registry
from .._core.errors import argument_error, choice, positive_int
from .base import Callback

# Metrics of which more is better, when `mode='auto'`; matched at the end of a name, 'val_' and numbers aside.
MAXIMISED = ("acc", "accuracy", "auc", "precision", "recall", "f1", "f1_score", "fmeasure", "iou", "r2_score", "score")
MINIMISED = ("loss", "error", "mse", "mae")


class Monitor(Callback):
    """What they share: which value, whether it improved, and what to say when it is not there.

    Args:
        monitor: The name of the value in `logs`.
        mode: `'min'`, `'max'` or `'auto'`, which goes by the name.
        min_delta: The least change that counts.
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        super().__init__()
        self.monitor = monitor
        self.mode = choice(type(self).__name__, "mode", mode, ("auto", "min", "max"))
        self.min_delta = abs(float(min_delta))
        self.maximise = self.mode == "max" or (self.mode == "auto" and _more_is_better(monitor))
        self.best = self.worst

    @property
    def worst(self) -> float:
        """The value that everything improves on."""
        return -math.inf if self.maximise else math.inf

    def improved(self, value: float, best: float) -> bool:
        """Tell whether `value` is better than `best` by more than `min_delta`; NaN never is."""
        return value - self.min_delta > best if self.maximise else value + self.min_delta < best

    def value(self, logs: Mapping[str, Any] | None) -> float | None:
        """Return the monitored value; `None`, with a warning, when there is none."""
        found = (logs or {}).get(self.monitor)
        if found is None:
            known = ", ".join(logs or ())
            warnings.warn(
                f"{type(self).__name__}(monitor={self.monitor!r}): no such value in logs; there are: {known}.", stacklevel=2
            )
        return None if found is None else float(found)


def _more_is_better(name: str) -> bool:
    bare = name.removeprefix("val_").rstrip("0123456789").rstrip("_")
    if bare.endswith(MINIMISED):
        return False
    return bare.endswith(MAXIMISED)


@registry.register("callback")
class EarlyStopping(Monitor):
    """Stops training when a value has not improved for some epochs.

    Args:
        monitor: The value.
        min_delta: The least change that counts.
        patience: Epochs without improvement after which training stops.
        verbose: Whether to say so.
        mode: `'min'`, `'max'` or `'auto'`.
        baseline: A value that has to be beaten.
        restore_best_weights: Whether the model gets the weights of its best epoch at the end.
        start_from_epoch: Epochs before the first that counts.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.callbacks.EarlyStopping(monitor='val_acc', patience=2).maximise
        True
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: Any = None) -> None:
        """Start afresh."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best = self.worst
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare the value with the best so far."""
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
        self.wait += 1
        if self.improved(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improved(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Say where training stopped, and restore the best weights however it ended."""
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            self.model.set_weights(self.best_weights)


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

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.callbacks.ReduceLROnPlateau(factor=.2, patience=5).factor
        0.2
    """

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
        **kwargs: Any,
    ) -> None:
        if "epsilon" in kwargs:  # Keras up to 2.1
            min_delta = kwargs.pop("epsilon")
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau({next(iter(kwargs))}=…): unknown argument.")
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise argument_error("ReduceLROnPlateau", "factor", "less than 1", factor)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.on_train_begin()

    def on_train_begin(self, logs: Any = None) -> None:
        """Start afresh."""
        self.best = self.worst
        self.wait = 0
        self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Tell whether nothing is counted just now."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare the value with the best so far."""
        rate = float(self.model.optimizer.lr) if hasattr(self.model.optimizer, "lr") else _torch_rate(self.model.optimizer)
        if logs is not None:
            logs["lr"] = rate
        value = self.value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and rate > np.float32(self.min_lr):
                self._lower(epoch, max(rate * self.factor, self.min_lr))

    def _lower(self, epoch: int, rate: float) -> None:
        set_rate(self.model.optimizer, rate)
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")


def _torch_rate(optimizer: Any) -> float:
    return float(optimizer.param_groups[0]["lr"])


def set_rate(optimizer: Any, rate: float) -> None:
    """Set the learning rate of an optimizer of ours or of torch's."""
    if hasattr(optimizer, "lr"):
        optimizer.lr = rate
        return
    for group in optimizer.param_groups:
        group["lr"] = rate


def get_rate(optimizer: Any) -> float:
    """Return the learning rate of an optimizer of ours or of torch's."""
    if not hasattr(optimizer, "lr"):
        return _torch_rate(optimizer)
    rate = optimizer.lr
    return float(rate(optimizer.iterations)) if callable(rate) else float(rate)


@registry.register("callback")
class ModelCheckpoint(Monitor):
    """Saves the weights after each epoch, each improvement or some number of batches.

    Args:
        filepath: Where; `'{epoch:02d}-{val_loss:.2f}.h5'` is filled in.
        monitor: The value that `save_best_only` goes by.
        verbose: Whether to say so.
        save_best_only: Whether only improvements are saved.
        save_weights_only: Whether to save the weights alone.
        mode: `'min'`, `'max'` or `'auto'`.
        save_freq: `'epoch'`, or a number of batches.
        options: Accepted; there are none.
        initial_value_threshold: A value that the first saved one has to beat.
        period: Every how many epochs.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.callbacks.ModelCheckpoint('best.h5', save_best_only=True, save_weights_only=True).save_best_only
        True
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        options: Any = None,
        initial_value_threshold: float | None = None,
        period: int = 1,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq if save_freq == "epoch" else positive_int("ModelCheckpoint", "save_freq", save_freq)
        self.period = positive_int("ModelCheckpoint", "period", period)
        self.epochs_since_last_save = 0
        self._batches = 0
        self._epoch = 0
        if initial_value_threshold is not None:
            self.best = float(initial_value_threshold)
        if self.save_freq != "epoch":  # only then are batch logs wanted
            self.on_train_batch_end = self._batch_end  # type: ignore[method-assign]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def _batch_end(self, batch: int, logs: Any = None) -> None:
        self._batches += 1
        if self._batches % self.save_freq == 0:
            self._save(self._epoch, logs, batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save when it is time."""
        self.epochs_since_last_save += 1
        if self.save_freq == "epoch" and self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            self._save(epoch, logs)

    def _save(self, epoch: int, logs: Any, batch: int | None = None) -> None:
        values = {k: v for k, v in (logs or {}).items() if k not in ("batch", "size")}
        path = self.filepath.format(epoch=epoch + 1, **({} if batch is None else {"batch": batch + 1}), **values)
        if self.save_best_only:
            value = self.value(logs)
            if value is None:
                return
            if not self.improved(value, self.best):
                self._say(f"Epoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
                return
            self._say(f"Epoch {epoch + 1}: {self.monitor} improved from {self.best:.5f} to {value:.5f}, saving to {path}")
            self.best = value
        else:
            self._say(f"Epoch {epoch + 1}: saving model to {path}")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _say(self, text: str) -> None:
        if self.verbose:
            print(f"\n{text}")
