"""Batches read ahead of the training that uses them, by threads or processes, in order."""

from __future__ import annotations

import enum
import itertools
import math
import multiprocessing
import random
import signal
import time
import types
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from .._core import randomness
from .._core.border import user_stacklevel
from .._core.errors import argument_error, positive_int

AT_ONCE = 1e-3  # seconds: to hand a batch over from another thread costs a good part of that


class End(enum.Enum):
    """What stands behind the last item; the same object in every process."""

    HERE = 0


END: Final = End.HERE


class Workers(NamedTuple):
    """Who reads a source.

    Attributes:
        number: How many threads or processes read ahead; 0 for none.
        processes: Whether they are processes.
        queue_size: How many batches may wait.
    """

    number: int = 1
    processes: bool = False
    queue_size: int = 10

    @staticmethod
    def of(method: str, workers: Any, use_multiprocessing: Any, max_queue_size: Any, minimum: int = 0) -> Workers:
        """Return the arguments of a method, checked.

        Args:
            method: The method.
            workers: A number.
            use_multiprocessing: A truth value.
            max_queue_size: A positive number.
            minimum: The least number of workers.
        """
        if isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or workers < minimum:
            raise argument_error(method, "workers", f"an integer of at least {minimum}", workers)
        size = positive_int(method, "max_queue_size", max_queue_size) if workers else 0
        return Workers(int(workers), bool(use_multiprocessing), size)


ONE_THREAD: Final = Workers()


class Task(NamedTuple):
    """One item to read.

    Attributes:
        at: Its index, or whatever the source takes; `None` for what `next` gives.
        seed: What a process seeds its generators of random numbers with before.
    """

    at: Any = None
    seed: int | None = None


def read_item(source: Any, task: Task) -> Any:
    """Return an item, or `END` where there is none."""
    return next(source, END) if task.at is None else source[task.at]


class Ahead:
    """Threads or processes that read the next items of one pass, in order.

    Args:
        source: Gives its items by index, or by `next`.
        workers: Who reads it.
        tasks: What to read.
        note: Called behind each item that a thread has read.
        keep: Returns an item that a thread has read in a form that outlasts the reading of the next one.
        seed: What the first process seeds numpy's generator with, the others with the numbers behind; nothing if
            `None`.

    Attributes:
        noted: What `note` returned behind the item in use, if others have been read since.
    """

    def __init__(
        self,
        source: Any,
        workers: Workers,
        tasks: Iterable[Task],
        note: Callable[[], Any] | None = None,
        keep: Callable[[Any], Any] | None = None,
        seed: int | None = None,
    ) -> None:
        self.source, self.workers, self.note, self.keep = source, workers, note, keep
        self.noted: Any = None
        self._tasks = iter(tasks)
        self._waiting: deque[Future[Any]] = deque()
        self._executor = self._start(min(workers.number, workers.queue_size), seed)
        self._call = _read_in_process if workers.processes else self._read_in_thread

    def _start(self, count: int, seed: int | None) -> Executor:
        if not self.workers.processes:
            return ThreadPoolExecutor(count, "read_ahead")
        context = multiprocessing.get_context()
        begun = context.Value("i", 0)
        return ProcessPoolExecutor(count, context, _begin_process, (self.source, seed, begun))

    def begin(self, allowed: float = math.inf) -> bool:
        """Have items read, as many as may wait; tells whether any does.

        Args:
            allowed: How many more items may be read at all.
        """
        while len(self._waiting) < min(self.workers.queue_size, allowed):
            task = next(self._tasks, END)
            if task is END:
                break
            self._waiting.append(self._executor.submit(self._call, task))
        return bool(self._waiting)

    def next(self, allowed: float = math.inf) -> Any:
        """Return the next item, and have those behind it read; `END` when there is none.

        Args:
            allowed: How many more items may be read at all, this one counted.
        """
        while self.begin(allowed):
            item, noted = self.result(self._waiting.popleft())
            if item is not END:
                self.noted = noted if self.begin(allowed - 1) else None
                return item
            self._tasks = iter(())  # another thread may have been given the last item
        return END

    def _read_in_thread(self, task: Task) -> Any:
        item = read_item(self.source, task)
        if self.keep is not None and item is not END:
            item = self.keep(item)
        return item, None if self.note is None else self.note()

    def result(self, waiting: Future[Any]) -> Any:
        """Return what a worker has read, or raise what it raised."""
        try:
            return waiting.result()
        except ValueError as error:
            if "generator already executing" not in str(error):
                raise
            raise RuntimeError(
                f"workers={self.workers.number}: the generator behind {type(self.source).__name__} cannot run in "
                f"several threads at a time. Write workers=1, or a utils.Sequence, whose batches have indices."
            ) from error

    def stop(self) -> list[Future[Any]]:
        """Stop all workers, and return what they have read and nobody has used."""
        self.noted = None
        self._executor.shutdown(wait=True, cancel_futures=True)
        done = [future for future in self._waiting if not future.cancelled() and not _is_end(future)]
        self._waiting.clear()
        return done


class Reader:
    """Reads a source of batches pass by pass, ahead of the training where that wins something.

    With one thread, the first batch, and all batches of a source that gives them at once, are read when they are asked
    for: nothing is to be won by reading those ahead, and what the model draws at its first batch is drawn where it
    would be without threads.

    Args:
        source: Gives its items by index, or by `next`.
        workers: Who reads it.
        unused: Items that `next` gave before and that nobody has used; they come first.
        keep: As in `Ahead`.

    Attributes:
        allowed: How many more items of this pass may be read.
        note: As in `Ahead`.
    """

    note: Callable[[], Any] | None = None

    def __init__(
        self,
        source: Any,
        workers: Workers,
        unused: deque[Future[Any]] | None = None,
        keep: Callable[[Any], Any] | None = None,
    ) -> None:
        self.source, self.keep = source, keep
        self.unused: deque[Future[Any]] = deque() if unused is None else unused
        self.workers = self._possible(workers)
        self.allowed = math.inf
        self._ahead: Ahead | None = None
        self._begun = False
        self._slow_items = 0  # in a row

    def _possible(self, workers: Workers) -> Workers:
        """Return how many workers a source allows, and say so where it is fewer."""
        if not isinstance(self.source, types.GeneratorType) or workers.number < 2:
            return workers
        if workers.processes:
            text = (
                f"use_multiprocessing=True, workers={workers.number}: each process runs the whole generator, and every "
                f"batch may come {workers.number} times. Write a utils.Sequence, whose batches have indices."
            )
        else:
            text = (
                f"workers={workers.number}: a Python generator cannot run in several threads at a time, and one reads "
                f"it ahead. Write a utils.Sequence for several."
            )
            workers = workers._replace(number=1)
        warnings.warn(text, UserWarning, stacklevel=user_stacklevel())
        return workers

    @property
    def noted(self) -> Any:
        """What `note` returned behind the item in use, if others have been read since."""
        return None if self._ahead is None else self._ahead.noted

    def peek(self) -> Any:
        """Return the next item, which comes again; `END` where there is none."""
        item = self.next()
        if item is not END:
            kept: Future[Any] = Future()
            kept.set_result((item, None))
            self.unused.appendleft(kept)
        return item

    def next(self) -> Any:
        """Return the next item of a source without indices, read now; `END` where there is none."""
        return self.unused.popleft().result()[0] if self.unused else next(self.source, END)

    def read(self, indices: Iterable[int] | None = None, limit: int | None = None) -> Iterator[Any]:
        """Return the items of a pass; all workers stop when it ends or is closed.

        Args:
            indices: Which items, in order; `None` for what `next` gives.
            limit: How many.
        """
        self.allowed = math.inf if limit is None else limit
        return self._items(tasks_of(indices, self.workers.processes and self.workers.number > 0))

    @property
    def _reads_ahead(self) -> bool:
        """Whether something is to be won by reading ahead from now on."""
        number, processes, _ = self.workers
        slow = number > 1 or self._slow_items > 1
        return number > 0 and (processes or (self._begun and slow))

    def _items(self, tasks: Iterator[Task]) -> Iterator[Any]:
        while self.unused and self.allowed > 0:
            self.allowed -= 1
            yield self.unused.popleft().result()[0]
        while self.allowed > 0 and not self._reads_ahead:
            task, start = next(tasks, END), time.perf_counter()
            item = END if task is END else read_item(self.source, task)
            if item is END:
                return
            self._begun = True
            self._slow_items = self._slow_items + 1 if time.perf_counter() - start > AT_ONCE else 0
            self.allowed -= 1
            yield item
        if self.allowed > 0:
            yield from self._items_ahead(tasks)

    def _items_ahead(self, tasks: Iterator[Task]) -> Iterator[Any]:
        ahead = self._ahead = Ahead(self.source, self.workers, tasks, self.note, self.keep)
        try:
            while (item := ahead.next(self.allowed)) is not END:
                self.allowed -= 1
                yield item
        finally:
            unused, self._ahead = ahead.stop(), None
            if hasattr(self.source, "__next__"):  # items that have an index are read again
                self.unused.extend(unused)


def tasks_of(indices: Iterable[int] | None, processes: bool) -> Iterator[Task]:
    """Return what to read in a pass.

    Args:
        indices: Which items, in order; `None` for what `next` gives.
        processes: Whether processes read, which would all draw the same random numbers.
    """
    if indices is None:
        return itertools.repeat(Task())
    if not processes:
        return map(Task, indices)
    base = randomness.draw_seed()
    return (Task(index, base + number) for number, index in enumerate(indices))


def _is_end(done: Future[Any]) -> bool:
    return done.exception() is None and done.result()[0] is END


# --- in a process of its own -----------------------------------------------------------------------------------------

_source: Any = None


def _begin_process(source: Any, seed: int | None, begun: Any) -> None:
    global _source
    _source = source
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains, which ends this one
    torch.set_num_threads(1)  # torch's pool of threads does not survive a fork
    if seed is not None:
        with begun.get_lock():
            np.random.seed(seed + begun.value)
            begun.value += 1


def _read_in_process(task: Task) -> Any:
    if task.seed is not None:
        random.seed(task.seed)
        np.random.seed(task.seed)
        torch.manual_seed(task.seed)
    return read_item(_source, task), None
