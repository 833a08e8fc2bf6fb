"""Lengths that Keras 1 counted in samples, where today batches are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Samples:
    """A number of samples in the place of a number of batches: a source of batches is drawn from until it is reached.

    Attributes:
        argument: What Keras 1 called it, `'samples_per_epoch'`.
        count: The number.
    """

    argument: str
    count: Any

    def __repr__(self) -> str:
        return f"{self.count} samples / batch size"
