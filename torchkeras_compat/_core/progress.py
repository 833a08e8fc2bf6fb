"""The progress text of `fit`, `evaluate` and `predict`, and the pieces that `utils.Progbar` shares.

The words, their order and the numbers' form are those that Keras 2.15 prints.  `tqdm` draws the live line, as a widget
in a notebook that has widgets; where nothing can be redrawn (a log file, a pipe) an epoch is one line.
"""

from __future__ import annotations

import functools
import io
import logging
import shutil
import sys
import warnings
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, TextIO

from .errors import choice, show

WIDTH = 30
INTERVAL = 0.1  # seconds between two looks at the device


def verbosity(owner: str, value: Any) -> int:
    """Return `verbose` as 0, 1 or 2; `True` is 1, and so is `'auto'` where a person looks on."""
    if isinstance(value, str):
        choice(owner, "verbose", value, ("auto",))
        return 1 if speaks() else 2
    if value not in (0, 1, 2):
        raise ValueError(f"{owner}(verbose={show(value)}): verbose must be 0, 1, 2 or 'auto'; got {show(value)}.")
    return int(value)


def number_text(value: float) -> str:
    """Return a metric as Keras shows it: four decimals, `1.2346e-05` where they would show little."""
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def values_text(values: Mapping[str, Any]) -> str:
    """Return ` - loss: 0.6931 - accuracy: 0.5000`."""
    return "".join(f" - {name}: {v if isinstance(v, str) else number_text(float(v))}" for name, v in values.items())


def duration_text(seconds: float, unit: str) -> str:
    """Return how long one `unit` takes: ` 2s/step`, ` 3ms/step` or ` 80us/step`."""
    if seconds >= 1 or seconds <= 0:
        return f" {max(seconds, 0):.0f}s/{unit}"
    return f" {seconds * 1e3:.0f}ms/{unit}" if seconds >= 1e-3 else f" {seconds * 1e6:.0f}us/{unit}"


def remaining_text(seconds: float) -> str:
    """Return the time left: `12s`, `2:05` or `1:02:05`."""
    minutes, rest = divmod(int(seconds), 60)
    if seconds > 3600:
        return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if seconds > 60 else f"{int(seconds)}s"


def count_text(done: int, total: int | None) -> str:
    """Return ` 7/32`, or `      7/Unknown` where the end is not known."""
    return f"{done:7d}/Unknown" if total is None else f"{done:{len(str(total))}d}/{total}"


def bar_text(done: int, total: int | None, width: int = WIDTH) -> str:
    """Return ` 7/32 [=====>........]`, or the count alone where the end is not known."""
    if total is None:
        return count_text(done, None)
    filled = min(width, width * done // total) if total else width
    head = "=" if done >= total else ">"
    bar = "=" * (filled - 1) + head if filled else ""
    return f"{count_text(done, total)} [{bar:.<{width}}]"


class Pace:
    """The time that one unit takes; the first one, which also builds and compiles, is left out once others follow."""

    def __init__(self) -> None:
        self.start = perf_counter()
        self._warm: tuple[float, int] | None = None

    def note(self, done: int) -> None:
        """Take the time after the first report."""
        if self._warm is None and done > 0:
            self._warm = (perf_counter(), done)

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return perf_counter() - self.start

    def per_unit(self, done: int) -> float:
        """Return the seconds that one unit takes."""
        if done <= 0:
            return 0.0
        if self._warm is not None and done > self._warm[1]:
            return (perf_counter() - self._warm[0]) / (done - self._warm[1])
        return self.elapsed() / done


def live_text(done: int, total: int | None, pace: Pace, unit: str) -> str:
    """Return what stands between the bar and the metrics while it runs."""
    per_unit = pace.per_unit(done)
    if total is None:
        return f" - {pace.elapsed():.0f}s{duration_text(per_unit, unit)}"
    return f" - ETA: {remaining_text(per_unit * max(total - done, 0))}"


def in_notebook() -> bool:
    """Tell whether the code runs in a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})


def write(text: str, file: TextIO | None) -> None:
    """Write text at once, or nowhere where Python has no output (`pythonw`, a service), as `print` does."""
    if file is None:
        return
    file.write(text)
    if not in_notebook():  # whose kernel sends what was written five times a second, and makes a flush wait for it
        file.flush()


class _Logged(io.TextIOBase):
    """A file whose lines go to the log of the package."""

    def write(self, text: str) -> int:
        """Log the lines that are not empty."""
        for line in filter(None, text.splitlines()):
            LOG.info("%s", line)
        return len(text)


LOG = logging.getLogger(__name__.partition(".")[0])
_LOGGED = _Logged()
_speaking = [True]


def speak(whether: bool) -> None:
    """Let what is told go to the screen, or to the log."""
    _speaking[0] = whether


def speaks() -> bool:
    """Tell whether it goes to the screen."""
    return _speaking[0]


def out() -> TextIO | None:
    """Return where it goes: `sys.stdout` as it is now, or the log."""
    return sys.stdout if _speaking[0] else _LOGGED  # type: ignore[return-value]


def say(text: str) -> None:
    """Tell a line."""
    write(f"{text}\n", out())


def redrawable(file: TextIO | None) -> bool:
    """Tell whether a line written to `file` can be written over."""
    if file is None:
        return False
    isatty = getattr(file, "isatty", None)
    return bool(isatty is not None and isatty()) or (in_notebook() and file is sys.stdout)


@functools.cache
def _bar_class(notebook: bool) -> type[Any]:
    base: type[Any]
    if notebook:
        with warnings.catch_warnings():  # without ipywidgets tqdm warns and gives its text bar, which will do
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm as base
    else:
        from tqdm.std import tqdm as base
    return type("EpochBar", (base,), {"monitor_interval": 0})  # no watching thread: we draw when there is news


class _LiveLine:
    """One line that is drawn over and over."""

    def __init__(self, total: int | None, file: TextIO) -> None:
        self._notebook = notebook = in_notebook() and file is sys.stdout
        # nrows: tqdm draws nothing on a terminal that reports no size
        options: dict[str, Any] = {} if notebook else {"nrows": 20, "ascii": True}
        self._bar = _bar_class(notebook)(total=total, file=file, leave=False, bar_format="{desc}", **options)
        self._widget = hasattr(self._bar, "container")

    def draw(self, done: int, total: int | None, tail: str) -> None:
        bar = self._bar
        bar.n = done
        if self._widget and total is not None:
            bar.bar_format = _literal(count_text(done, total) + " ") + "{bar}" + _literal(tail)
        else:
            columns = 240 if self._notebook else shutil.get_terminal_size().columns
            spare = columns - 1 - len(bar_text(done, total, 0) + tail)  # the bar gives way to the numbers
            bar.ncols = None  # cut here, to what the terminal says or to the usual 80 where it says nothing
            bar.bar_format = _literal((bar_text(done, total, min(WIDTH, max(spare, 5))) + tail)[: max(columns - 1, 20)])
        bar.refresh()

    def close(self) -> None:
        self._bar.close()


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


class EpochProgress:
    """The text that a run of epochs leaves on the screen.

    Args:
        epochs: Number of the last epoch.
        verbose: 0 nothing, 1 a bar, 2 one line an epoch.
        unit: What is counted, `'step'` or `'sample'`.
        file: Where to write; `sys.stdout` as it is at each epoch, when `None`.
        header: Whether an epoch begins with `Epoch 1/10` (`evaluate` and `predict` have none).
    """

    def __init__(
        self, epochs: int, verbose: int, unit: str = "step", file: TextIO | None = None, header: bool = True
    ) -> None:
        self.epochs, self.unit, self.header = epochs, unit, header
        self.verbose = verbosity("EpochProgress", verbose)
        self._given_file = file
        self._line: _LiveLine | None = None
        self._pace = Pace()
        self._total: int | None = None
        self._done = 0
        self._open = False
        self._live = False
        self._looked = 0.0

    @property
    def _file(self) -> TextIO | None:
        return out() if self._given_file is None else self._given_file

    def epoch_begin(self, epoch: int, total: int | None) -> None:
        """Begin the epoch with index `epoch`, counted from 0, of `total` units (`None`: not known yet)."""
        self.close()
        self._total, self._done = total, 0
        self._open = self.verbose > 0
        self._live = self.verbose == 1 and redrawable(self._file)
        self._pace = Pace()
        self._looked = perf_counter()  # an epoch that is over in less is shown by its last line alone
        if self._open and self.header:
            self._write(f"Epoch {epoch + 1}/{self.epochs}\n")

    def update(self, done: int, values: Callable[[], Mapping[str, float]] = dict) -> None:
        """Note that `done` units are done, and draw the line anew if it is time: at most ten times a second.

        Args:
            done: Units of this epoch that are done.
            values: Returns the metrics so far; called only for a line that is drawn.
        """
        if not self._done:
            self._pace.note(done)
        self._done = done
        if not self._live or perf_counter() - self._looked < INTERVAL:
            return
        self._looked = perf_counter()
        if self._line is None:
            file = self._file
            if file is None:  # taken away in mid-epoch
                self._live = False
                return
            file.flush()  # what stands above the line comes first
            self._line = _LiveLine(self._total, file)
        tail = live_text(done, self._total, self._pace, self.unit) + values_text(values())
        self._line.draw(done, self._total, tail)

    def epoch_end(self, values: Mapping[str, float]) -> None:
        """Close the epoch with its final line, validation metrics included."""
        if not self._open:
            return
        self._drop_line()
        self._open = self._live = False
        seconds, done = self._pace.elapsed(), self._done
        total = done if self._total is None else self._total
        if self.verbose == 1:
            time = f" - {seconds:.0f}s{duration_text(self._pace.per_unit(done), self.unit)}"
            self._write(bar_text(done, total) + time + values_text(values) + "\n")
        else:
            each = duration_text(seconds / max(total, 1), self.unit)
            times = f" -{duration_text(seconds, 'epoch')} -{each}"
            self._write(f"{count_text(done, total)} - {seconds:.0f}s{values_text(values)}{times}\n")

    def close(self) -> None:
        """End the text in mid-epoch, as after an interrupt; does nothing after `epoch_end`."""
        if self._line is not None:
            self._drop_line()
            self._write(bar_text(self._done, self._total) + "\n")
        self._open = self._live = False

    def _drop_line(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _write(self, text: str) -> None:
        write(text, self._file)
