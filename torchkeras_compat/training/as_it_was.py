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
        config = model._compile_config
        self.heads = [(head, head.lines) for head in (config.heads or ())] if config is not None else []
        self.module = None if model.built else unchanged_on_error(model)

    def __enter__(self) -> None:
        if self.module is not None:
            self.module.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            for head, lines in self.heads:
                head.lines = lines
        if self.module is not None:
            self.module.__exit__(kind, error, traceback)
