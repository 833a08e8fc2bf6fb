"""Whether a run has a screen for matplotlib, and what becomes of figures that have none."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

BACKEND = f"module://{__package__}.figures"


@dataclass
class Figures:
    """What `plt.show()` does without a screen, and what it has done.

    Attributes:
        folder: Where figures are saved; without one they are dropped.
        shown: How many figures were to be shown.
    """

    folder: Path | None = None
    shown: int = 0

    def report(self) -> str:
        """Return the line that tells what became of them, `''` where there were none."""
        if not self.shown:
            return ""
        figures = f"{self.shown} figure{'s' if self.shown > 1 else ''}"
        if self.folder is not None:
            return f"plt.show() saved {figures} in {self.folder}."
        return f"plt.show() did not show {figures}, for there is no screen; --figures FOLDER saves them."


FIGURES = Figures()  # the backend is a module that matplotlib imports, and finds them here


def has_screen() -> bool:
    """Tell whether windows can be opened: on Linux a display has to be named."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def choose_backend(folder: Path | None) -> None:
    """Let matplotlib draw without a screen where there is none, or where figures are to be saved.

    Args:
        folder: Where to save figures; `None` for nowhere.
    """
    FIGURES.folder = folder
    if folder is not None or (not has_screen() and "MPLBACKEND" not in os.environ):
        os.environ["MPLBACKEND"] = BACKEND
