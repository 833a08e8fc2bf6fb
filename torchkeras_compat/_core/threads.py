"""What lets several threads use one model: a lock that models carry, and values that are each thread's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any


class Lock:
    """A lock that the thread which holds it may take again; a copy of its owner gets a lock of its own.

    Example:
        >>> import copy
        >>> lock = Lock()
        >>> with lock, lock:
        ...     copy.deepcopy(lock) is lock
        False
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return Lock, ()


BUILDING = Lock()  # held while a layer or model makes its weights: threads whose first calls come together wait


class _Names(threading.local):
    """The names of the layers that are being built in this thread, one inside the other."""

    path = ""


class names_inside:
    """A block in which layers that are built have a path in front of the names of their weights.

    Args:
        path: The names of the layers around them, each with a slash behind it.
    """

    __slots__ = ("_before", "_path")

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._before = _names.path
        _names.path = self._path

    def __exit__(self, *error: object) -> None:
        _names.path = self._before

    @staticmethod
    def current() -> str:
        """Return the path of the block that runs in this thread."""
        return _names.path


_names = _Names()
