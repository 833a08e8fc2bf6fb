"""Ctrl-C during training: the batch in hand is finished, the weights and the history so far stay on the model."""

from __future__ import annotations

import builtins
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any


def interactive() -> bool:
    """Tell whether a person sits at a prompt: a notebook, IPython or Python's own."""
    return hasattr(sys, "ps1") or bool(sys.flags.interactive) or hasattr(builtins, "__IPYTHON__")


class Interrupts:
    """Takes a first Ctrl-C as a wish to stop after the batch; a second one raises at once.

    Only Python's own handler is replaced, and only in the main thread: an application's handler keeps its place.
    """

    def __init__(self) -> None:
        self.asked = False
        self._previous: Any = None

    def __enter__(self) -> Interrupts:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._previous = signal.signal(signal.SIGINT, self._take)
        return self

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None
