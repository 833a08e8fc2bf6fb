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


class _Capture(threading.local):
    """Whether this thread captures a step; others run models as usual in the meantime."""

    active = False


CAPTURE = _Capture()  # what runs in each step reads it directly


def capturing() -> bool:
    """Tell whether a step is being captured."""
    return CAPTURE.active


def not_in_graphs(owner: Any, why: str) -> None:
    """Refuse to be captured; does nothing when steps run as usual.

    Raises:
        CannotCapture: A step is being captured.
    """
    if CAPTURE.active:
        raise CannotCapture(why, owner)


@contextmanager
def as_capture() -> Iterator[None]:
    """Mark what runs inside as a capture."""
    before, CAPTURE.active = CAPTURE.active, True
    try:
        yield
    finally:
        CAPTURE.active = before
