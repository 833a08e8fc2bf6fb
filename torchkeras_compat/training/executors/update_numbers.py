"""The numbers of an update (learning rate, bias corrections, …) where a step that is a graph reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

MOST_ROWS = 256


def send(numbers: list[Any], place: Tensor) -> None:
    """Copy numbers from memory that nobody need wait for: torch keeps it until the copy has been made."""
    host = torch.tensor(numbers, dtype=torch.float64, device="cpu", pin_memory=place.device.type == "cuda")
    place.copy_(host, non_blocking=True)


class NumbersTensor:
    """The numbers of an update on the device of the step, sent there only when they have changed.

    A graph reads them where its kernels run: a pointer to the host's memory is an error there.

    Args:
        scalars: The numbers of the next update, by name.
        device: Where the step runs.
    """

    def __init__(self, scalars: Mapping[str, float], device: torch.device) -> None:
        self.names = list(scalars)
        self._values = list(scalars.values())
        # The MPS device has no float64; its graphs read the host's memory.
        on = torch.device("cpu") if device.type == "mps" else device
        self.tensor = torch.tensor(self._values, dtype=torch.float64, device=on)
        self._memory = self.tensor.numpy() if on.type == "cpu" else None

    def write(self, scalars: Mapping[str, float]) -> None:
        """Let the tensor hold the numbers of the next update.

        Args:
            scalars: The numbers, in the order of those at first.
        """
        values = list(scalars.values())
        if self._memory is not None:
            self._memory[:] = values
        elif values != self._values:
            self._values = values
            send(values, self.tensor)


class NumbersTable:
    """A table of the numbers of the next steps; each step reads a row, and moves on to the next.

    The table is written again where it ends, and where the numbers are others than was expected: a callback has set the
    learning rate, a step has run eagerly.  It then begins with a single row and doubles from time to time.

    Args:
        names: What the numbers are called.
        device: Where the table stands.
        expected: Tells the numbers of the step that comes so many steps after the next one.
    """

    def __init__(self, names: Sequence[str], device: torch.device, expected: Callable[[int], dict[str, float]]) -> None:
        self.names = list(names)
        self._expected = expected
        with torch.inference_mode(False):
            self.table = torch.zeros(MOST_ROWS, max(1, len(self.names)), dtype=torch.float64, device=device)
            self.at = torch.zeros(1, dtype=torch.int64, device=device)
        self._rows: list[list[float]] = []
        self._next = 0
        self.writes = 0

    def next_row(self) -> dict[str, Tensor]:
        """Return the numbers of a step as 0-d tensors: this is recorded."""
        row = self.table.index_select(0, self.at)[0]
        self.at.add_(1)
        return dict(zip(self.names, row.unbind(0)))

    def provide(self, scalars: dict[str, float]) -> None:
        """See to it that the next row has these numbers."""
        values = list(scalars.values())
        if self._next == len(self._rows) or self._rows[self._next] != values:
            self._write(values)
        self._next += 1

    def _write(self, values: list[float]) -> None:
        ended = bool(self._rows) and self._next == len(self._rows)
        rows = min(MOST_ROWS, 2 * len(self._rows)) if ended else 1
        self._rows = [values, *(list(self._expected(i).values()) for i in range(1, rows))]
        self._next = 0
        self.writes += 1
        if values:
            send(self._rows, self.table[:rows])
        self.at.zero_()
