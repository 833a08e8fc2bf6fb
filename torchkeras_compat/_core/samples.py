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


def batches_of(steps: int | Samples | None, batch_size: int | None = None) -> int | None:
    """Return how many batches these steps are; `None` for samples of a stream, which counts them itself.

    Args:
        steps: A number of batches, or of samples.
        batch_size: How many samples a batch of arrays has.

    Example:
        >>> batches_of(7), batches_of(Samples('samples_per_epoch', 100), 32)
        (7, 4)
    """
    if not isinstance(steps, Samples):
        return steps
    return None if batch_size is None else -(-steps.count // batch_size)
