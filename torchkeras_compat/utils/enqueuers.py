"""Enqueuers: streams of batches that threads or processes read ahead, as Keras has them beside `fit`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

from .._core.border import translated
from .read_ahead import END, Ahead, Workers, tasks_of


class SequenceEnqueuer:
    """Base of what reads batches ahead; a subclass says which ones come.

    Args:
        sequence: The source of batches.
        use_multiprocessing: Whether processes read it, and not threads.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        self.sequence, self.use_multiprocessing = sequence, bool(use_multiprocessing)
        self.workers = 0
        self._ahead: Ahead | None = None

    def is_running(self) -> bool:
        """Tell whether it was started and not stopped since."""
        return self._ahead is not None

    @translated("SequenceEnqueuer.start")
    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Begin to read.

        Args:
            workers: How many threads or processes read.
            max_queue_size: How many batches may wait.

        Raises:
            ValueError: `workers` or `max_queue_size` is not a positive integer.
            RuntimeError: It is running.
        """
        owner = f"{type(self).__name__}.start"
        if self.is_running():
            raise RuntimeError(f"{owner}: it is running; call stop() first.")
        readers = Workers.of(owner, workers, self.use_multiprocessing, max_queue_size, minimum=1)
        self.workers = readers.number
        self._begin(readers)

    def _begin(self, readers: Workers) -> None:
        """Begin a pass."""
        self._ahead = self._next_pass(readers)
        self._ahead.begin()

    def _next_pass(self, readers: Workers) -> Ahead:
        raise NotImplementedError(f"{type(self).__name__} does not say what to read; use OrderedEnqueuer.")

    def stop(self, timeout: float | None = None) -> None:
        """Stop reading, and wait until all threads and processes have ended.

        Args:
            timeout: Accepted; an item that is being read is read to its end.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.stop()

    def get(self) -> Iterator[Any]:
        """Yield batches until it is stopped or the source ends; those that are `None` are left out.

        An exception in a worker stops it, and is raised here.
        """
        try:
            while (ahead := self._ahead) is not None:
                item = ahead.next()
                if item is END:
                    if not self._goes_on(ahead):
                        return
                elif item is not None:
                    yield item
        except CancelledError:
            if self.is_running():
                raise
        except Exception:
            self.stop()
            raise

    def _goes_on(self, ended: Ahead) -> bool:
        """Begin the next pass, if there is one."""
        return False

    def __del__(self) -> None:
        self.stop()


class OrderedEnqueuer(SequenceEnqueuer):
    """Reads a `Sequence` ahead, pass after pass, its batches in order.

    Args:
        sequence: The `Sequence`.
        use_multiprocessing: Whether processes read it, and not threads.
        shuffle: Whether each pass has an order of its own, drawn from Python's `random`.

    Example:
        >>> from torchkeras_compat.preprocessing.sequence import TimeseriesGenerator
        >>> import numpy as np
        >>> enqueuer = OrderedEnqueuer(TimeseriesGenerator(np.arange(9), np.arange(9), length=3, batch_size=2))
        >>> enqueuer.start(workers=2, max_queue_size=4)
        >>> batches = enqueuer.get()
        >>> [next(batches)[1].tolist() for _ in range(4)]
        [[3, 4], [5, 6], [7, 8], [3, 4]]
        >>> enqueuer.stop()
        >>> enqueuer.is_running()
        False
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = bool(shuffle)
        self._order: list[int] = []

    def _next_pass(self, readers: Workers) -> Ahead:
        if not self._order:
            self._order = list(range(len(self.sequence)))
        if self.shuffle:
            random.shuffle(self._order)
        return Ahead(self.sequence, readers, tasks_of(self._order, readers.processes))

    def _goes_on(self, ended: Ahead) -> bool:
        ended.stop()
        self.sequence.on_epoch_end()
        self._begin(ended.workers)
        return bool(self._order)


class GeneratorEnqueuer(SequenceEnqueuer):
    """Reads a generator ahead.

    Args:
        generator: The generator, or any iterator. Several threads need one that can be called by several at a time;
            each of several processes runs a copy of it.
        use_multiprocessing: Whether processes read it, and not threads.
        random_seed: What the first process seeds numpy's generator with, the others with the numbers behind.

    Example:
        >>> enqueuer = GeneratorEnqueuer(iter('abc'))
        >>> enqueuer.start()
        >>> list(enqueuer.get())
        ['a', 'b', 'c']
        >>> enqueuer.stop()
    """

    @translated("GeneratorEnqueuer")
    def __init__(self, generator: Any, use_multiprocessing: bool = False, random_seed: int | None = None) -> None:
        super().__init__(generator, use_multiprocessing)
        self.random_seed = random_seed

    def _next_pass(self, readers: Workers) -> Ahead:
        return Ahead(self.sequence, readers, tasks_of(None, readers.processes), seed=self.random_seed)
