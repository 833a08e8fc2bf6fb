"""`make fuzz`: mutated files of each format are read in child processes, which may crash, hang or grow.

    python -m tests.fuzz --count 20000                 files of each format
    python -m tests.fuzz --formats hdf5 --first 500    from number 500 on
    python -m tests.fuzz --formats hdf5 --only 1234    one of them, with its traceback

A find is kept under `build/fuzz`, and the numbers done stand there too: a run that is broken off goes on from them.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from .formats import FORMATS, Files, Targets, mutant, read

SECONDS = 5.0
"""How long one file may take: honest ones take some milliseconds."""
MEGABYTES = 64
"""How much memory may be added to twice the file's own size."""
PORTION = 250
"""Files that one child reads."""
FOLDER = Path("build") / "fuzz"


@dataclass
class Report:
    """What came of the files of a format.

    Attributes:
        done: How many were read.
        finds: Number of a file → what is wrong with it.
        slowest: The longest time that one took, and its number.
        largest: The most memory that one took, in kilobytes, and its number.
    """

    done: int = 0
    finds: dict[int, str] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, -1)
    largest: tuple[int, int] = (0, -1)

    def line(self, name: str) -> str:
        """Return the report in a line."""
        return (
            f"{name:12} {self.done:6} files, {len(self.finds)} finds; slowest {self.slowest[0]:.2f} s (number "
            f"{self.slowest[1]}), most memory {self.largest[0] / 1024:.0f} MB (number {self.largest[1]})"
        )


def _memory() -> int:
    """Return the most memory that was held since `_forget_memory`, in kilobytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def _forget_memory() -> None:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _child(name: str, files: Files, numbers: range, targets: Targets, folder: Path, out: int) -> None:
    """Read files one after the other; before and after each, a line goes to the parent."""
    limit = 4 * 2**30
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    path = folder / f"mutated.{name}"
    for number in numbers:
        content = mutant(name, files, number)
        path.write_bytes(content)
        os.write(out, f"{json.dumps([number])}\n".encode())
        _forget_memory()
        before, started = _memory(), time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, SECONDS)  # nothing handles it: it ends the process, wherever that is
        told = read(targets, name, path)
        signal.setitimer(signal.ITIMER_REAL, 0)
        grown = _memory() - before
        seconds = time.monotonic() - started
        if told == "read" and grown > 2 * len(content) // 1024 + MEGABYTES * 1024:
            told = f"it took {grown // 1024} MB of memory"
        os.write(out, f"{json.dumps([number, told[:4000], seconds, grown])}\n".encode())


def _portion(name: str, files: Files, numbers: range, targets: Targets, folder: Path, report: Report) -> int:
    """Let a child read files; return the number to go on with."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        _child(name, files, numbers, targets, folder, writing)
        os._exit(0)
    os.close(writing)
    current = numbers.start
    with os.fdopen(reading) as lines:
        for line in lines:
            told = json.loads(line)
            current = told[0]
            if len(told) > 1:
                _note(report, *told)
                current += 1
    _, status = os.waitpid(process, 0)
    if status:
        ended = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"status {status >> 8}"
        hung = "it hangs" if ended == "SIGALRM" else f"it ends the process: {ended}"
        _note(report, current, hung, SECONDS, 0)
        current += 1
    return current


def _note(report: Report, number: int, told: str, seconds: float, grown: int) -> None:
    report.done += 1
    report.slowest = max(report.slowest, (seconds, number))
    report.largest = max(report.largest, (grown, number))
    if told != "read":
        report.finds[number] = told


def fuzz(name: str, first: int, last: int, until: float, keep: Path | None = None) -> tuple[Report, int]:
    """Read the mutated files of a format.

    Args:
        name: A key of `FORMATS`.
        first: The first number.
        last: The number behind the last one.
        until: When to stop (`time.monotonic`).
        keep: Where finds and the numbers done are kept; nowhere when `None`.
    """
    report, number = Report(), first
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = FORMATS[name].files(folder)
        targets = Targets()
        (folder / "warm").write_bytes(files[min(files)])
        read(targets, name, folder / "warm")  # what is imported and made once does not count
        while number < last and time.monotonic() < until:
            known = set(report.finds)
            number = _portion(name, files, range(number, min(number + PORTION, last)), targets, folder, report)
            for find in set(report.finds) - known:
                told = report.finds[find].split("\n")
                print(f"{name} {find}: {told[0]}", flush=True)
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{name}-{find}.bin").write_bytes(mutant(name, files, find))
                    (keep / f"{name}-{find}.txt").write_text(report.finds[find])
    return report, number


def _only(name: str, number: int) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        files = FORMATS[name].files(Path(temporary))
        path = Path(temporary) / "mutated"
        path.write_bytes(mutant(name, files, number))
        print(read(Targets(), name, path))
    return 0


def main() -> int:
    """Run as the command line says; return how many formats have finds."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--count", type=int, default=20_000, help="mutated files of each format")
    parser.add_argument("--formats", nargs="*", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--first", type=int, help="the first number; where the last run ended when left out")
    parser.add_argument("--seconds", type=float, default=3600, help="when to break off, for each format")
    parser.add_argument("--only", type=int, help="one number alone, with its traceback")
    options = parser.parse_args()
    if options.only is not None:
        return _only(options.formats[0], options.only)
    FOLDER.mkdir(parents=True, exist_ok=True)
    place = FOLDER / "done.json"
    done: dict[str, int] = json.loads(place.read_text()) if place.exists() else {}
    wrong: collections.Counter[str] = collections.Counter()
    for name in options.formats:
        first = done.get(name, 0) if options.first is None else options.first
        first = 0 if first >= options.count and options.first is None else first
        until = time.monotonic() + options.seconds
        report, done[name] = fuzz(name, first, first + options.count if options.first else options.count, until, FOLDER)
        place.write_text(json.dumps(done))
        print(report.line(name), flush=True)
        wrong[name] = len(report.finds)
    return sum(1 for count in wrong.values() if count)


if __name__ == "__main__":
    sys.exit(main())
