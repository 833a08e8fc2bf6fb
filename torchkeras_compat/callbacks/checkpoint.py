"""`ModelCheckpoint`: the model on disk while training goes on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Any

from .._core import registry
from .._core.errors import argument_error, positive_int
from .._core.logs import Logs
from .._core.progress import say
from .monitor import Monitor


@registry.register("callback")
class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, after each epoch, each improvement or some number of batches.

    The best value so far is kept from one `fit` to the next, so that a better file is never written over.

    Args:
        filepath: Where; `'{epoch:02d}-{val_loss:.2f}.keras'` is filled in, and folders that are missing are made.
        monitor: The value that `save_best_only` goes by.
        verbose: Whether to say so.
        save_best_only: Whether only improvements are saved.
        save_weights_only: Whether the weights alone are saved, and not the model with its optimizer.
        mode: `'min'`, `'max'` or `'auto'`.
        save_freq: `'epoch'`, or a number of batches; a value that only validation tells is seen at the epoch's end.
        options: `None`; TensorFlow's options have no meaning here.
        initial_value_threshold: A value that the first saved one has to beat.
        period: Every how many epochs.

    Raises:
        ValueError: `save_freq` or `period` is no positive number, or there are `options`.
        KeyError: `filepath` names a value that is not in the logs, when it is to be filled in.

    Example:
        >>> import torchkeras_compat as keras
        >>> keras.callbacks.ModelCheckpoint('best.keras', save_best_only=True).save_best_only
        True
    """

    _backed_up = ("best", "epochs_since_last_save", "_batches", "_overdue")

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
        if options is not None:
            raise argument_error("ModelCheckpoint", "options", "None", options)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq if save_freq == "epoch" else positive_int("ModelCheckpoint", "save_freq", save_freq)
        self.options = options
        self.initial_value_threshold = initial_value_threshold
        self.period = positive_int("ModelCheckpoint", "period", period)
        self.epochs_since_last_save = 0
        self._batches = 0
        self._epoch = 0
        self._overdue = False
        if initial_value_threshold is not None:
            self.best = float(initial_value_threshold)

    def _idle_hooks(self) -> tuple[Any, ...]:
        return (ModelCheckpoint.on_train_batch_end,) if self.save_freq == "epoch" else ()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Save when it is time."""
        super().on_train_batch_end(batch, logs)
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches < self.save_freq:
            return
        self._batches = 0
        if self.save_best_only and self.monitor not in (logs or {}):
            self._overdue = True  # a value of the validation is known at the end of the epoch
            return
        self._save(self._epoch, logs, batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save when it is time."""
        self.epochs_since_last_save += 1
        due = self._overdue if self.save_freq != "epoch" else self.epochs_since_last_save >= self.period
        if due:
            self.epochs_since_last_save, self._overdue = 0, False
            self._save(epoch, logs)

    def _path(self, epoch: int, logs: Any, batch: int | None) -> str:
        """Fill in the epoch, the batch and the values, which may be named in either spelling."""
        values = Logs({**(logs or {}), "epoch": epoch + self._rules.first_epoch_in_paths})
        if batch is not None:
            values["batch"] = batch + 1
        try:
            return Formatter().vformat(self.filepath, (), values)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint({self.filepath!r}): there is no {error} to fill in; there are: {', '.join(values)}."
            ) from None

    def _save(self, epoch: int, logs: Mapping[str, Any] | None, batch: int | None = None) -> None:
        path = self._path(epoch, logs, batch)
        if self.save_best_only:
            value = self.get_monitor_value(logs)
            if value is None:
                return
            if not self.improved(value, self.best):
                self._say(f"Epoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
                return
            change = f"improved from {self.best:.5f} to {value:.5f}"
            self._say(f"Epoch {epoch + 1}: {self.monitor} {change}, saving model to {path}")
            self._write(path)
            self.best = value  # only once the file is there
            return
        self._say(f"Epoch {epoch + 1}: saving model to {path}")
        self._write(path)

    def _write(self, path: str) -> None:
        place = Path(path).expanduser()
        place.parent.mkdir(parents=True, exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(str(place), overwrite=True)

    def _say(self, text: str) -> None:
        if self.verbose:
            say(f"\n{text}")
