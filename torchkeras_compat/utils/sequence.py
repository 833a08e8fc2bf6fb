"""`Sequence`: data that gives its batches by index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Sequence:
    """Base of data that `fit` takes batch by batch: a subclass says how many batches there are and which is the `i`-th.

    Example:
        >>> import numpy as np
        >>> class Squares(Sequence):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.arange(4) + 4 * index
        ...         return x, x ** 2
        >>> [int(y.sum()) for x, y in Squares()]
        [14, 126, 366]
    """

    use_sequence_api = True

    def __getitem__(self, index: int) -> Any:
        """Return the batch at `index`: `(x, y)` or `(x, y, sample_weight)`."""
        raise NotImplementedError(f"{type(self).__name__}: a Sequence must define __getitem__(self, index).")

    def __len__(self) -> int:
        """Return the number of batches."""
        raise NotImplementedError(f"{type(self).__name__}: a Sequence must define __len__(self).")

    def on_epoch_end(self) -> None:
        """Do what is due after each epoch, such as shuffling; nothing unless overridden."""

    def __iter__(self) -> Iterator[Any]:
        """Give all batches in order."""
        for index in range(len(self)):
            yield self[index]
