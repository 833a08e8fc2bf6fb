"""Whether progress and messages go to the screen, or to the log."""

from __future__ import annotations

from .._core.progress import speak, speaks


def enable_interactive_logging() -> None:
    """Let progress and messages go to the screen, as they do from the start.

    Example:
        >>> enable_interactive_logging()
        >>> is_interactive_logging_enabled()
        True
    """
    speak(True)


def disable_interactive_logging() -> None:
    """Let progress and messages go to the logger `torchkeras_compat`; `verbose='auto'` is a line for each epoch then.

    Example:
        >>> disable_interactive_logging()
        >>> is_interactive_logging_enabled()
        False
        >>> enable_interactive_logging()
    """
    speak(False)


def is_interactive_logging_enabled() -> bool:
    """Tell whether progress and messages go to the screen.

    Example:
        >>> is_interactive_logging_enabled()
        True
    """
    return speaks()
