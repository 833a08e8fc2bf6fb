"""Whether a training step is being captured as a graph, and how a layer says that it cannot be.

A step is captured by running it once on stand-ins without numbers.  What decides by values, walks over time in Python
or keeps state outside tensors has no place in a graph: it refuses, and the step runs eagerly.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class CannotCapture(Exception):
    """A step that cannot become a graph.

    Args:
        why: The reason, for the user.
        owner: The layer or optimizer it lies with, where one is known.
    """

    def __init__(self, why: str, owner: Any = None) -> None:
        super().__init__(why if owner is None else f"{owner}: {why}")


class _State(threading.local):
    capturing = False


_state = _State()  # of each thread: others run models as usual in the meantime


def capturing() -> bool:
    """Tell whether a step is being captured."""
    return _state.capturing


def not_in_graphs(owner: Any, why: str) -> None:
    """Refuse to be captured; does nothing when steps run as usual.

    Raises:
        CannotCapture: A step is being captured.
    """
    if _state.capturing:
        raise CannotCapture(why, owner)


@contextmanager
def as_capture() -> Iterator[None]:
    """Mark what runs inside as a capture."""
    before, _state.capturing = _state.capturing, True
    try:
        yield
    finally:
        _state.capturing = before
