"""`Progbar`, for loops of the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core import progress
from .._core.errors import positive_int


class Progbar:
    """A progress bar with averaged values, as Keras 2.15 draws it.

    Args:
        target: Number of units; `None` when it is not known.
        width: Length of the bar in characters.
        verbose: 0 nothing, 1 a bar, 2 one line at the end.
        interval: Least time between two redraws, in seconds.
        stateful_metrics: Names whose values are shown as given, not averaged.
        unit_name: What one unit is called.

    Example:
        >>> bar = Progbar(2, verbose=1)
        >>> bar.add(1, [('loss', 0.5)])
        >>> bar.add(1, [('loss', 0.25)])  # doctest: +ELLIPSIS
        2/2 [==============================] - 0s ...s/step - loss: 0.3750
    """

    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = positive_int("Progbar", "width", width)
        self.verbose = progress.verbosity("Progbar", verbose)
        self.interval = interval
        self.stateful_metrics = set(stateful_metrics or ())
        self.unit_name = unit_name
        self._seen = 0
        self._sums: dict[str, list[float]] = {}
        self._pace = progress.Pace()
        self._drawn = float("-inf")
        self._length = 0

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Show that `current` units are done.

        Args:
            current: Units done so far.
            values: Pairs of name and value for what was done since the last call, or a dictionary.
            finalize: Whether this is the last call; `current >= target` when `None`.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        self._gather(current, values)
        self._pace.note(current)
        self._seen = current
        if self.verbose == 1:
            self._draw(current, finalize)
        elif self.verbose == 2 and finalize:
            self._print_line(current)

    def add(self, n: int, values: Any = None) -> None:
        """Show that `n` more units are done."""
        self.update(self._seen + n, values)

    def _gather(self, current: int, values: Any) -> None:
        weight = max(current - self._seen, 1)
        for name, value in values.items() if hasattr(values, "items") else values or ():
            if name in self.stateful_metrics:
                self._sums[name] = [float(value), 1]
            else:
                total = self._sums.setdefault(name, [0.0, 0])
                total[0] += float(value) * weight
                total[1] += weight

    def _values_text(self) -> str:
        return progress.values_text({name: total / max(count, 1) for name, (total, count) in self._sums.items()})

    def _draw(self, current: int, finalize: bool) -> None:
        elapsed = self._pace.elapsed()
        redrawable = progress.redrawable(progress.out())
        if not finalize and (not redrawable or elapsed - self._drawn < self.interval):
            return
        if finalize:
            time = f" - {elapsed:.0f}s{progress.duration_text(self._pace.per_unit(current), self.unit_name)}"
        else:
            time = progress.live_text(current, self.target, self._pace, self.unit_name)
        line = progress.bar_text(current, self.target, self.width) + time + self._values_text()
        text = "\r" + line.ljust(self._length) if redrawable else line
        progress.write(text + ("\n" if finalize else ""), progress.out())
        self._length, self._drawn = (0 if finalize else len(line)), elapsed

    def _print_line(self, current: int) -> None:
        elapsed = self._pace.elapsed()
        each = progress.duration_text(elapsed / max(self.target or current, 1), self.unit_name)
        count = progress.count_text(current, current if self.target is None else self.target)
        times = f" -{progress.duration_text(elapsed, 'epoch')} -{each}"
        progress.write(f"{count} - {elapsed:.0f}s{self._values_text()}{times}\n", progress.out())
