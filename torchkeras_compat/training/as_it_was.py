"""A model as it was before data that turned out not to fit."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from .._core.rollback import unchanged_on_error


class AsItWas:
    """Puts a model back as it was, unbuilt if it was, when an error leaves the block.

    A class, not a generator: `predict` of one sample enters one.

    Args:
        model: The model.
    """

    def __init__(self, model: Any) -> None:
        self.recipe = model.recipe
        self.lines = None if self.recipe is None else self.recipe.lines
        self.module = None if model.built else unchanged_on_error(model)

    def __enter__(self) -> None:
        if self.module is not None:
            self.module.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and self.recipe is not None:
            self.recipe.lines = self.lines
        if self.module is not None:
            self.module.__exit__(kind, error, traceback)
