"""A backend of matplotlib that draws as Agg does; `plt.show()` saves the figures, or drops them."""

from __future__ import annotations

from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas

from .screen import FIGURES

__all__ = ["FigureCanvas", "show"]


def show(*args: Any, block: bool | None = None, **kwargs: Any) -> None:
    """Save the open figures where a folder is named, and close them, as somebody who has seen them does.

    Args:
        args: Accepted.
        block: `False` leaves the figures open, for what is drawn into them next.
        kwargs: Accepted.
    """
    if block is False:
        return
    for manager in Gcf.get_all_fig_managers():
        FIGURES.shown += 1
        if FIGURES.folder is not None:
            FIGURES.folder.mkdir(parents=True, exist_ok=True)
            manager.canvas.figure.savefig(FIGURES.folder / f"figure_{FIGURES.shown}.png")
    Gcf.destroy_all()
