"""Models on disk: the weights, in the files that Keras 2 reads and writes."""

from __future__ import annotations

from .weight_files import WeightFiles

__all__ = ["WeightFiles"]
