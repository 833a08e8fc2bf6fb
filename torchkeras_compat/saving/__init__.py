"""Models on disk: whole ones and their weights, in the files that Keras reads and writes."""

from __future__ import annotations

from .model_files import ModelFiles, load_model

__all__ = ["ModelFiles", "load_model"]
