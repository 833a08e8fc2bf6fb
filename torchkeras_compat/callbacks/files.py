"""Callbacks that hand the values of each epoch on: to a CSV file, to a server."""

from __future__ import annotations

import csv
import json
import os
import warnings
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from .._core import registry
from .._core.border import user_stacklevel
from .base import Callback


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
        self.separator = self.sep = separator
        self.append = append
        self._keys: list[str] = []
        self._begun = False  # whether the file has its place for the rows of this training
        self._has_header = self._columns_chosen = False
        self._before = 0  # bytes that stood in the file before this training

    def on_train_begin(self, logs: Any = None) -> None:
        """Make the file."""
        self._keys = self._header() if self.append else []
        self._has_header, self._columns_chosen = bool(self._keys), False
        with self._opened("a" if self.append else "w"):
            self._before = os.path.getsize(self.filename)
        self._begun = True

    def _opened(self, mode: str) -> IO[Any]:
        """Open the file, for one row: what stands in it is whole whenever training ends."""
        return open(self.filename, mode, newline="", encoding="utf-8")

    def _header(self) -> list[str]:
        """Return the columns of the file that is there."""
        if not os.path.exists(self.filename):
            return []
        with self._opened("r") as file:
            return next(csv.reader(file, delimiter=self.sep), [])[1:]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a row."""
        if not self._begun:
            raise RuntimeError("CSVLogger: on_epoch_end without on_train_begin; pass it to fit(callbacks=[…]).")
        values = logs or {}
        self._choose_columns(values)
        with self._opened("a") as file:
            writer = csv.DictWriter(file, ["epoch", *self._keys], delimiter=self.sep)
            if not self._has_header:
                writer.writeheader()
            writer.writerow({"epoch": epoch, **{key: _cell(values.get(key, "NA")) for key in self._keys}})
        self._has_header = True

    def _choose_columns(self, values: Mapping[str, Any]) -> None:
        """Choose the columns at the first row of a training; tell which values those of a file have no place for."""
        if self._columns_chosen:
            return
        self._columns_chosen = True
        wanted = set(values)
        if self.params.get("do_validation"):  # with validation_freq=2 the first epoch has none
            wanted |= {str(name) for name in self.params.get("metrics", ())}
        if self._keys and (missing := sorted(wanted - set(self._keys))):
            warnings.warn(
                f"CSVLogger: {self.filename!r} has no columns for {', '.join(missing)}; they are left out.",
                stacklevel=user_stacklevel(),
            )
        self._keys = self._keys or sorted(wanted)

    def on_train_end(self, logs: Any = None) -> None:
        """Take no more rows."""
        self._begun = False

    def _get_backup(self) -> dict[str, Any]:
        """Return what this training has written: the file may be cut, or have more in it, when training resumes."""
        with open(self.filename, "rb") as file:
            file.seek(self._before)
            text = file.read().decode("utf-8")
        return {"before": self._before, "text": text, "keys": list(self._keys)}

    def _set_backup(self, state: Mapping[str, Any]) -> None:
        self._before = min(state["before"], os.path.getsize(self.filename))
        with open(self.filename, "r+b") as file:
            file.truncate(self._before)
            file.seek(self._before)
            file.write(state["text"].encode("utf-8"))
        self._keys = list(state["keys"])
        self._columns_chosen = self._has_header = bool(self._keys)


def _cell(value: Any) -> Any:
    if isinstance(value, (np.ndarray, list, tuple)) and np.ndim(value):
        return f'"[{", ".join(map(str, value))}]"'
    return value


def _json_value(value: Any) -> Any:
    """Return a value of the logs as JSON has it: a number of numpy's as Python's, an array as lists."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


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
        import urllib.error
        import urllib.parse
        import urllib.request

        body = json.dumps({"epoch": epoch, **{name: _json_value(value) for name, value in (logs or {}).items()}})
        data = body.encode() if self.send_as_json else urllib.parse.urlencode({self.field: body}).encode()
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        request = urllib.request.Request(self.root + self.path, data, {"Content-Type": kind, **(self.headers or {})})
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.URLError as error:
            warnings.warn(f"RemoteMonitor: {self.root} could not be reached: {error}", stacklevel=user_stacklevel())
