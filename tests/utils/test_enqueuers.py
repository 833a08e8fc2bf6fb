"""The enqueuers, as tutorials use them."""

from __future__ import annotations

import itertools
import multiprocessing
import random
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from torchkeras_compat import utils
from torchkeras_compat._core.border import KerasSpellingWarning


class Numbers(utils.Sequence):
    """The numbers below five, and how often a pass has ended."""

    ended = 0

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Any:
        if self.ended == 3:
            raise LookupError("no more")
        return index, self.ended

    def on_epoch_end(self) -> None:
        self.ended += 1


def helpers() -> int:
    return threading.active_count() + len(multiprocessing.active_children())


@pytest.mark.parametrize("processes", [False, True])
@pytest.mark.parametrize("workers", [1, 3])
def test_passes_follow_one_another(processes: bool, workers: int) -> None:
    before, source = helpers(), Numbers()
    enqueuer = utils.OrderedEnqueuer(source, use_multiprocessing=processes)
    assert not enqueuer.is_running()
    enqueuer.start(workers=workers, max_queue_size=3)
    assert enqueuer.is_running()
    items = enqueuer.get()
    expected = [(index, ended) for ended in range(3) for index in range(5)]
    assert [next(items) for _ in range(15)] == expected
    with pytest.raises(LookupError, match="no more"):
        next(items)
    assert not enqueuer.is_running()
    assert helpers() == before


def test_the_order_is_that_of_keras() -> None:
    # Keras shuffles one list of indices anew for each pass by Python's `random`.
    random.seed(4)
    enqueuer = utils.OrderedEnqueuer(Numbers(), shuffle=True)
    enqueuer.start()
    drawn = [index for index, _ in itertools.islice(enqueuer.get(), 10)]
    enqueuer.stop()
    random.seed(4)
    order = list(range(5))
    random.shuffle(order)
    first = list(order)
    random.shuffle(order)
    assert drawn == first + order


def test_reading_begins_with_start() -> None:
    read = threading.Event()

    def source() -> Iterator[int]:
        read.set()
        yield 1

    enqueuer = utils.GeneratorEnqueuer(source())
    enqueuer.start()
    assert read.wait(10)
    assert list(enqueuer.get()) == [1]
    assert enqueuer.is_running()
    enqueuer.stop()
    assert not enqueuer.is_running()
    assert list(enqueuer.get()) == []
    enqueuer.stop()


def test_none_is_left_out_and_errors_stop() -> None:
    def source() -> Iterator[Any]:
        yield from (1, None, 2)
        raise OSError("the disk is gone")

    before = helpers()
    enqueuer = utils.GeneratorEnqueuer(source())
    enqueuer.start(max_queue_size=2)
    items = enqueuer.get()
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(OSError, match="disk"):
        next(items)
    assert not enqueuer.is_running()
    assert helpers() == before


def test_each_process_has_a_seed_of_its_own() -> None:
    def source() -> Iterator[Any]:
        while True:
            yield float(np.random.rand())

    enqueuer = utils.GeneratorEnqueuer(source(), use_multiprocessing=True, random_seed=9)
    enqueuer.start(workers=1)
    drawn = list(itertools.islice(enqueuer.get(), 3))
    enqueuer.stop()
    np.testing.assert_array_equal(drawn, np.random.RandomState(9).rand(3))


def test_spellings_of_keras_1() -> None:
    with pytest.warns(KerasSpellingWarning, match="use_multiprocessing=False"):
        enqueuer = utils.GeneratorEnqueuer(iter([1, 2]), pickle_safe=False, wait_time=0.01)
    with pytest.warns(KerasSpellingWarning, match="workers=1"):
        enqueuer.start(nb_worker=1, wait_time=0.01)
    assert list(enqueuer.get()) == [1, 2]
    enqueuer.stop()


def test_what_is_refused() -> None:
    enqueuer = utils.OrderedEnqueuer(Numbers())
    with pytest.raises(ValueError, match=r"OrderedEnqueuer.start\(workers=0\)"):
        enqueuer.start(workers=0)
    enqueuer.start()
    with pytest.raises(RuntimeError, match=r"it is running; call stop\(\)"):
        enqueuer.start()
    enqueuer.stop()
    with pytest.raises(NotImplementedError, match="use OrderedEnqueuer"):
        utils.SequenceEnqueuer(Numbers()).start()
