"""Callbacks that record or show what happens, and those that only stop or call back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .._core import registry
from .._core.errors import choice, show
from .._core.logs import Logs, LogValue
from .._core.progress import say
from .base import Callback


@registry.register("callback")
class History(Callback):
    """Records the values of each epoch in `history`; every `fit` returns one.

    Example:
        >>> from torchkeras_compat.callbacks import History
        >>> record = History()
        >>> record.on_train_begin()
        >>> record.on_epoch_end(0, {'loss': 1., 'accuracy': .5})
        >>> record.history, record.history['acc']
        ({'loss': [1.0], 'accuracy': [0.5]}, [0.5])
    """

    def __init__(self) -> None:
        super().__init__()
        self._begin()

    def _begin(self) -> None:
        self.epoch: list[int] = []
        self.history = Logs()

    def on_train_begin(self, logs: Any = None) -> None:
        """Start afresh."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            dict.setdefault(self.history, name, []).append(value.item() if isinstance(value, LogValue) else value)


@registry.register("callback")
class BaseLogger(Callback):
    """Kept for old scripts: the averages of an epoch are computed by the training loop, and are in the logs already.

    Args:
        stateful_metrics: Accepted; each metric knows how it is averaged.

    Example:
        >>> import torchkeras_compat as keras
        >>> callback = keras.callbacks.BaseLogger()
    """

    def __init__(self, stateful_metrics: Any = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())


@registry.register("callback")
class ProgbarLogger(Callback):
    """Kept for old scripts: `fit` shows its progress by `verbose`, with this callback or without it.

    Args:
        count_mode: `'samples'` or `'steps'`; `fit` counts steps.
        stateful_metrics: Accepted; each metric knows how it is averaged.

    Raises:
        ValueError: Another `count_mode`.

    Example:
        >>> import torchkeras_compat as keras
        >>> callback = keras.callbacks.ProgbarLogger(count_mode='steps')
    """

    def __init__(self, count_mode: str = "samples", stateful_metrics: Any = None) -> None:
        super().__init__()
        self.count_mode = choice("ProgbarLogger", "count_mode", count_mode, ("samples", "steps"))
        self.stateful_metrics = set(stateful_metrics or ())


@registry.register("callback")
class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite.

    Example:
        >>> import torchkeras_compat as keras
        >>> callback = keras.callbacks.TerminateOnNaN()
    """

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            say(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


@registry.register("callback")
class LambdaCallback(Callback):
    """Calls functions at the hooks.

    Args:
        on_epoch_begin: A function of `(epoch, logs)`.
        on_epoch_end: A function of `(epoch, logs)`.
        on_batch_begin: A function of `(batch, logs)`.
        on_batch_end: A function of `(batch, logs)`.
        on_train_begin: A function of `(logs)`.
        on_train_end: A function of `(logs)`.
        kwargs: Functions for the other hooks of `Callback`.

    Example:
        >>> import torchkeras_compat as keras
        >>> callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch))
    """

    _takes_anything = True

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_batch_begin: Callable[..., Any] | None = None,
        on_batch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_batch_begin": on_batch_begin,
            "on_batch_end": on_batch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            **kwargs,
        }
        for hook, function in functions.items():
            if function is None:
                continue
            if hook.startswith("on_") and hook not in dir(Callback):
                raise TypeError(f"LambdaCallback({hook}={show(function)}): there is no such hook.")
            setattr(self, hook, function)
