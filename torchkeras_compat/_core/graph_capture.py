"""Whether a training step is being captured as a graph, and how a layer says that it cannot be.

A step is traced by running it once on stand-ins without numbers, or recorded by running it once while a CUDA stream
writes down its kernels.  What decides by values or keeps state outside tensors has no place in a graph: it refuses, and
the step runs eagerly.
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
    """Whether this thread captures a step; others run models as usual in the meantime.

    Attributes:
        active: Whether it does.
        traced: Whether the step runs on stand-ins.
    """

    active = False
    traced = False


CAPTURE = _Capture()  # what runs in each step reads it directly


def capturing() -> bool:
    """Tell whether a step is being captured."""
    return CAPTURE.active


def tracing() -> bool:
    """Tell whether a step is being captured by running it on stand-ins."""
    return CAPTURE.traced


def not_in_graphs(owner: Any, why: str) -> None:
    """Refuse to be captured; does nothing when steps run as usual.

    Raises:
        CannotCapture: A step is being captured.
    """
    if CAPTURE.active:
        raise CannotCapture(why, owner)


def not_traced(owner: Any, why: str) -> None:
    """Refuse to be traced: what runs often in Python would make a graph too large for a compiler, not for a stream.

    Raises:
        CannotCapture: A step is being traced.
    """
    if CAPTURE.traced:
        raise CannotCapture(why, owner)


@contextmanager
def as_capture(traced: bool = True) -> Iterator[None]:
    """Mark what runs inside as a capture.

    Args:
        traced: Whether it runs on stand-ins.
    """
    before = CAPTURE.active, CAPTURE.traced
    CAPTURE.active, CAPTURE.traced = True, traced
    try:
        yield
    finally:
        CAPTURE.active, CAPTURE.traced = before
