"""Models as estimators of other libraries; each module is imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["scikit_learn"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
