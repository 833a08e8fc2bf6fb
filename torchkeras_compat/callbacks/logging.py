"""Callbacks that record or show what happens, and those that only stop or call back."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import numpy as np

from .._core import registry
from .._core.errors import show
from .._core.logs import Logs
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
        self.on_train_begin()

    def on_train_begin(self, logs: Any = None) -> None:
        """Start afresh."""
        self.epoch: list[int] = []
        self.history = Logs()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            dict.setdefault(self.history, name, []).append(value)


@registry.register("callback")
class BaseLogger(Callback):
    """Kept for old scripts: the averages of an epoch are computed by the training loop.

    Args:
        stateful_metrics: Accepted.
    """

    def __init__(self, stateful_metrics: Any = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())


@registry.register("callback")
class ProgbarLogger(Callback):
    """Kept for old scripts: `fit` shows its progress by `verbose`.

    Args:
        count_mode: Accepted; steps are counted.
        stateful_metrics: Accepted.
    """

    def __init__(self, count_mode: str = "samples", stateful_metrics: Any = None) -> None:
        super().__init__()
        self.count_mode = count_mode
        self.stateful_metrics = set(stateful_metrics or ())


@registry.register("callback")
class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite.

    Example:
        >>> import torchkeras_compat as keras
        >>> callback = keras.callbacks.TerminateOnNaN()
    """

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


@registry.register("callback")
class CSVLogger(Callback):
    """Writes the values of each epoch to a CSV file.

    Args:
        filename: Where.
        separator: Between the values.
        append: Whether to go on with a file that is there.

    Example:
        >>> import torchkeras_compat as keras
        >>> callback = keras.callbacks.CSVLogger('training.log', separator=';')
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self._file: TextIO | None = None
        self._writer: Any = None
        self._keys: list[str] = []
        self._has_header = False

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the file."""
        self._has_header = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115 - closed at the end
        self._writer = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a row."""
        values = dict(logs or {})
        if self._writer is None:
            self._keys = sorted(values)
            if self.model is not None and self.params.get("do_validation"):
                promised = {str(m) for m in self.params.get("metrics", ())}
                self._keys = sorted(set(values) | promised)
            self._writer = csv.DictWriter(self._file or _closed(), ["epoch", *self._keys], delimiter=self.sep)
            if not self._has_header:
                self._writer.writeheader()
        row = {"epoch": epoch, **{key: _cell(values.get(key, "NA")) for key in self._keys}}
        self._writer.writerow(row)
        if self._file is not None:
            self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _closed() -> TextIO:
    raise RuntimeError("CSVLogger: on_epoch_end without on_train_begin; pass it to fit(callbacks=[…]).")


def _cell(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim:
        return f'"[{", ".join(map(str, value))}]"'
    return value


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
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_batch_begin": on_batch_begin,
            "on_batch_end": on_batch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            **kwargs,
        }
        for hook, function in given.items():
            if function is None:
                continue
            if hook.startswith("on_") and hook not in dir(Callback):
                raise TypeError(f"LambdaCallback({hook}={show(function)}): there is no such hook.")
            setattr(self, hook, function)


@registry.register("callback")
class RemoteMonitor(Callback):
    """Sends the values of each epoch to a server as JSON.

    Args:
        root: The server.
        path: Where there.
        field: The form field that holds the JSON.
        headers: HTTP headers.
        send_as_json: Whether the body itself is JSON.

    Example:
        >>> import torchkeras_compat as keras
        >>> callback = keras.callbacks.RemoteMonitor(root='http://localhost:9000')
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root, self.path, self.field = root, path, field
        self.headers, self.send_as_json = headers, send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Send the epoch."""
        import json
        import urllib.error
        import urllib.parse
        import urllib.request
        import warnings

        body = json.dumps({"epoch": epoch, **{k: float(v) for k, v in (logs or {}).items() if np.ndim(v) == 0}})
        data = body.encode() if self.send_as_json else urllib.parse.urlencode({self.field: body}).encode()
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        request = urllib.request.Request(self.root + self.path, data, {"Content-Type": kind, **(self.headers or {})})
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - the user's own server
        except urllib.error.URLError as error:
            warnings.warn(f"RemoteMonitor: could not reach {self.root}: {error}", stacklevel=2)
