"""What happens to data before a model sees it: texts, sequences, images."""

from __future__ import annotations

from . import image, sequence, text

__all__ = ["image", "sequence", "text"]
