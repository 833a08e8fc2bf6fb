"""`workers`, `use_multiprocessing`, `max_queue_size`: batches are read ahead, in order, and nobody is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import callbacks, layers
from torchkeras_compat.preprocessing.image import ImageDataGenerator

ROOT = Path(__file__).resolve().parents[2]
X = np.random.RandomState(0).rand(24, 3).astype("float32")
Y = np.random.RandomState(1).rand(24, 1).astype("float32")
SLOW = 0.004  # what makes one thread read ahead


def model_of(*more: Any) -> Any:
    np.random.seed(3)
    model = keras.Sequential([layers.Dense(4, input_shape=(3,)), *more, layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class Batches(keras.utils.Sequence):
    """Six batches of four rows; the first ones take longest."""

    def __init__(self, seconds: float = 0.0, fails_at: int | None = None) -> None:
        self.seconds, self.fails_at = seconds, fails_at
        self.threads: set[str] = set()
        self.read: list[int] = []
        self.ended = 0

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> Any:
        self.threads.add(threading.current_thread().name.split("_")[0])
        self.read.append(index)
        if self.seconds:
            time.sleep(self.seconds * (1 + 2 * (index < 3)))
        if index == self.fails_at:
            raise LookupError(f"batch {index} is damaged")
        return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]

    def on_epoch_end(self) -> None:
        self.ended += 1


def generator(seconds: float = 0.0, fails_at: int | None = None) -> Iterator[Any]:
    source = Batches(seconds, fails_at)
    while True:
        for index in range(6):
            yield source[index]


def helpers() -> list[Any]:
    """The threads and processes that read."""
    threads = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    return [*threads, *multiprocessing.active_children()]


READERS: list[dict[str, Any]] = [
    {"workers": 0},
    {"workers": 1},
    {"workers": 3},
    {"workers": 3, "max_queue_size": 1},
    {"workers": 1, "use_multiprocessing": True},
    {"workers": 2, "use_multiprocessing": True, "max_queue_size": 3},
]


def name_of(readers: Any) -> str:
    return " ".join(f"{key}={value}" for key, value in readers.items())


@pytest.mark.parametrize("readers", READERS, ids=name_of)
def test_the_numbers_are_those_of_the_arrays(readers: dict[str, Any]) -> None:
    before = helpers()
    expected, model = model_of(), model_of()
    a = expected.fit(X, Y, batch_size=4, shuffle=False, epochs=2, verbose=0, validation_data=(X, Y)).history
    b = model.fit(Batches(SLOW), shuffle=False, epochs=2, verbose=0, validation_data=Batches(), **readers).history
    for name, values in a.items():
        np.testing.assert_allclose(b[name], values, rtol=1e-5)
    np.testing.assert_allclose(
        model.evaluate(Batches(SLOW), verbose=0, **readers), model.evaluate(X, Y, verbose=0), rtol=1e-5
    )
    np.testing.assert_allclose(model.predict(Batches(SLOW), verbose=0, **readers), model.predict(X), rtol=1e-5)
    assert helpers() == before


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("processes", [False, True])
def test_the_calls_for_generators(workers: int, processes: bool) -> None:
    readers = {"workers": workers, "use_multiprocessing": processes, "max_queue_size": 2}
    expected, model = model_of(), model_of()
    a = expected.fit(X, Y, batch_size=4, shuffle=False, epochs=2, verbose=0).history["loss"]
    source = Batches(SLOW)
    b = model.fit_generator(source, epochs=2, shuffle=False, verbose=0, **readers).history["loss"]
    np.testing.assert_allclose(b, a, rtol=1e-5)
    np.testing.assert_allclose(
        model.evaluate_generator(Batches(SLOW), **readers), model.evaluate(X, Y, verbose=0), rtol=1e-5
    )
    np.testing.assert_allclose(model.predict_generator(Batches(SLOW), **readers), model.predict(X), rtol=1e-5)
    if processes and workers:
        assert source.read == []  # each process has a copy
    elif workers == 2:
        assert "read" in source.threads
    elif workers == 0:
        assert source.threads == {"MainThread"}
    assert source.ended == 2


def test_one_thread_reads_ahead_what_takes_time() -> None:
    slow, fast = Batches(SLOW), Batches()
    for source in (slow, fast):
        model_of().fit(source, epochs=2, verbose=0)
    assert "read" in slow.threads
    assert fast.threads == {"MainThread"}


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("size", [1, 2, 10])
def test_at_most_so_many_batches_wait(workers: int, size: int) -> None:
    source = Batches(SLOW)
    waiting: list[int] = []

    def look(batch: int, logs: Any) -> None:
        time.sleep(0.03)
        waiting.append(len(source.read) - (batch + 1))

    note, readers = callbacks.LambdaCallback(on_batch_end=look), {"workers": workers, "max_queue_size": size}
    model_of().fit(source, shuffle=False, verbose=0, callbacks=[note], **readers)
    assert max(waiting) == min(size, 3 if workers == 1 else 4)  # several begin behind the first batch, one later
    assert source.read == sorted(source.read) or workers > 1


def test_reading_overlaps_with_training() -> None:
    wait = callbacks.LambdaCallback(on_batch_end=lambda batch, logs: time.sleep(0.03))

    def seconds(workers: int) -> float:
        start = time.perf_counter()
        model_of().fit(Batches(0.02), epochs=2, verbose=0, workers=workers, callbacks=[wait])
        return time.perf_counter() - start

    alone, ahead = seconds(0), seconds(4)
    assert ahead < 0.75 * alone


# --- generators ---------------------------------------------------------------------------------------------------


def drawing(seconds: float) -> Iterator[Any]:
    while True:
        time.sleep(seconds)
        x = np.random.rand(4, 3).astype("float32")
        yield x, x[:, :1] * 2


@pytest.mark.parametrize("workers", [0, 1])
def test_draws_from_the_global_generator_are_the_same(workers: int) -> None:
    def losses(workers: int, seconds: float) -> Any:
        model = model_of(layers.Dropout(0.5))
        np.random.seed(11)
        fitted = model.fit(
            drawing(seconds),
            steps_per_epoch=6,
            epochs=3,
            verbose=0,
            workers=workers,
            validation_data=drawing(seconds),
            validation_steps=2,
        )
        return fitted.history

    assert losses(workers, SLOW) == losses(0, 0.0)


def test_a_generator_is_read_no_further_than_the_epoch() -> None:
    read: list[int] = []

    def counted() -> Iterator[Any]:
        for i, item in enumerate(generator(SLOW)):
            read.append(i)
            yield item

    source = counted()
    seen: list[int] = []
    note = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(len(read)))
    model_of().fit(source, steps_per_epoch=7, epochs=2, verbose=0, callbacks=[note])
    assert seen == [7, 14]
    model_of().predict(source, steps=3, verbose=0)
    assert len(read) == 17


@pytest.mark.parametrize("workers", [0, 1])
def test_a_buffer_that_is_filled_again_while_batches_wait(workers: int) -> None:
    def refilled() -> Iterator[Any]:
        buffer = np.zeros((1, 3), "float32")
        for i in range(12):
            time.sleep(SLOW)
            buffer[:] = i
            yield (buffer, [buffer])

    class Wait(callbacks.Callback):
        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            time.sleep(3 * SLOW)

    same = keras.Sequential([layers.Flatten(input_shape=(3,))])
    predicted = same.predict(refilled(), verbose=0, workers=workers, callbacks=[Wait()])
    assert predicted[:, 0].tolist() == list(range(12))


def test_what_was_read_and_not_used_comes_next_time() -> None:
    def numbers() -> Iterator[Any]:
        for i in range(40):
            time.sleep(SLOW)
            yield np.full((1, 3), i, "float32"), np.zeros((1, 1), "float32")

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            time.sleep(0.03)
            if batch == 5:
                raise InterruptedError

    source = numbers()
    with pytest.raises(InterruptedError):
        model_of().fit(source, steps_per_epoch=30, epochs=1, verbose=0, callbacks=[Stop()])
    same = keras.Sequential([layers.Flatten(input_shape=(3,))])
    assert same.predict(source, verbose=0)[:, 0].tolist() == list(range(6, 40))


def test_a_generator_that_ends_early_says_so() -> None:
    def short() -> Iterator[Any]:
        for i, item in enumerate(generator(SLOW)):
            if i == 8:
                return
            yield item

    with pytest.warns(UserWarning, match=r"ended after 2 of 6 steps of epoch 2.*steps_per_epoch \* epochs"):
        done = model_of().fit(short(), steps_per_epoch=6, epochs=3, verbose=0)
    assert done.epoch == [0, 1]


def test_several_workers_and_a_generator() -> None:
    before = helpers()
    with pytest.warns(UserWarning, match="workers=4: a Python generator cannot run in several threads"):
        model_of().fit(generator(SLOW), steps_per_epoch=6, epochs=1, verbose=0, workers=4)
    with pytest.warns(UserWarning, match="every batch may come 2 times"):
        model_of().fit(generator(), steps_per_epoch=6, verbose=0, workers=2, use_multiprocessing=True)
    assert helpers() == before


def test_one_process_runs_a_generator_as_it_stands() -> None:
    expected, model = model_of(), model_of()
    a = expected.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history["loss"]
    b = model.fit(generator(), steps_per_epoch=6, verbose=0, workers=1, use_multiprocessing=True).history["loss"]
    np.testing.assert_allclose(b, a, rtol=1e-5)


class Locked:
    """An iterator that several threads may ask."""

    def __init__(self, safe: bool) -> None:
        self.items, self.lock, self.safe = generator(SLOW), threading.Lock(), safe

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self.safe:
            return next(self.items)
        with self.lock:
            return next(self.items)


def test_iterators_in_several_threads() -> None:
    before = helpers()
    done = model_of().fit(Locked(True), steps_per_epoch=6, epochs=2, verbose=0, workers=3)
    assert done.epoch == [0, 1]
    with pytest.raises(RuntimeError, match="workers=3: the generator behind Locked cannot run in several threads"):
        model_of().fit(Locked(False), steps_per_epoch=6, epochs=2, verbose=0, workers=3)
    assert helpers() == before


# --- errors and interrupts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "readers"),
    [*((Batches, readers) for readers in READERS), *((generator, {"workers": count}) for count in (0, 1))],
)
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_an_exception_reaches_the_user_with_its_traceback(
    make: Callable[..., Any], method: str, readers: dict[str, Any]
) -> None:
    before = helpers()
    model = model_of()
    options = {"shuffle": False} if method == "fit" else {}
    with pytest.raises(LookupError, match="batch 4 is damaged") as caught:
        getattr(model, method)(make(SLOW, fails_at=4), verbose=0, **readers, **options)
    told = "".join(traceback.format_exception(caught.value))
    assert 'raise LookupError(f"batch {index} is damaged")' in told
    assert helpers() == before


def test_an_exception_comes_when_its_batch_is_due() -> None:
    done: list[int] = []
    note = callbacks.LambdaCallback(on_batch_end=lambda batch, logs: done.append(batch))
    with pytest.raises(LookupError):
        model_of().fit(Batches(SLOW, fails_at=4), shuffle=False, verbose=0, workers=4, callbacks=[note])
    assert done == [0, 1, 2, 3]


@pytest.mark.parametrize("readers", READERS, ids=name_of)
def test_nobody_is_left_behind_where_a_callback_fails_or_stops(readers: dict[str, Any]) -> None:
    before = helpers()

    class Fail(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 3:
                raise ArithmeticError

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = batch == 3

    with pytest.raises(ArithmeticError):
        model_of().fit(Batches(SLOW), epochs=3, verbose=0, callbacks=[Fail()], **readers)
    assert helpers() == before
    source = Batches(SLOW)
    model_of().fit(source, epochs=3, verbose=0, callbacks=[Stop()], **readers)
    assert helpers() == before
    assert source.ended == 0  # as in Keras, which ends no epoch in which training stops


INTERRUPTED = """
import os, signal, sys, threading, multiprocessing, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np
import torchkeras_compat as keras

class Batches(keras.utils.Sequence):
    def __len__(self):
        return 50
    def __getitem__(self, index):
        time.sleep(.01)
        return np.ones((4, 2), 'float32'), np.ones((4, 1), 'float32')

class Press(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 7:
            for _ in range({presses}):
                os.kill(os.getpid(), signal.SIGINT)

model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
model.compile('sgd', 'mse')
try:
    model.fit(Batches(), epochs=9, verbose=0, callbacks=[Press()], **{readers})
except KeyboardInterrupt:
    print('raised')
print('threads', threading.active_count(), 'processes', len(multiprocessing.active_children()))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
@pytest.mark.parametrize("presses", [1, 2])
@pytest.mark.parametrize("readers", [{"workers": 1}, {"workers": 3}, {"workers": 2, "use_multiprocessing": True}])
def test_an_interrupt_leaves_nobody_behind(readers: dict[str, Any], presses: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(presses=presses, readers=readers)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    assert (done.stdout.splitlines(), done.stderr) == (["raised", "threads 1 processes 0"], "")


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")
def test_a_process_that_dies_is_an_error() -> None:
    class Dies(Batches):
        def __getitem__(self, index: int) -> Any:
            if index == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__getitem__(index)

    before = helpers()
    with pytest.raises(RuntimeError, match="terminated abruptly"):
        model_of().fit(Dies(), shuffle=False, verbose=0, workers=2, use_multiprocessing=True)
    assert helpers() == before


# --- the end of an epoch, and random numbers in processes -------------------------------------------------------------


class Told(keras.utils.Sequence):
    """Writes down what happens to it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        self.log.append(f"{self.name}{index}")
        return X[:4], Y[:4]

    def on_epoch_end(self) -> None:
        self.log.append(f"{self.name} ended")


def test_the_end_of_an_epoch_is_told_when_keras_tells_it() -> None:
    # Order of Keras 2.15 without a look at the first batch: fit(Sequence, validation_data=Sequence), evaluate, predict.
    log: list[str] = []
    note = callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: log.append(f"begin {epoch}"),
        on_epoch_end=lambda epoch, logs: log.append(f"end {epoch}"),
    )
    model = model_of()
    model.fit(Told("t", log), validation_data=Told("v", log), epochs=2, shuffle=False, verbose=0, callbacks=[note])
    epoch = ["t0", "t1", "v0", "v1", "v ended"]
    assert log == ["begin 0", *epoch, "end 0", "t ended", "begin 1", *epoch, "end 1", "t ended"]
    log.clear()
    model.evaluate(Told("t", log), verbose=0)
    model.predict(Told("t", log), verbose=0)
    assert log == ["t0", "t1", "t ended"] * 2


class Drawn(Batches):
    """Batches that are drawn from numpy's global generator."""

    def __getitem__(self, index: int) -> Any:
        x = np.random.rand(1, 3).astype("float32")
        return x, x[:, :1]


def test_processes_draw_different_numbers_that_repeat() -> None:
    same = keras.Sequential([layers.Flatten(input_shape=(3,))])

    def drawn(seed: int) -> Any:
        np.random.seed(seed)
        return same.predict(Drawn(), verbose=0, workers=2, use_multiprocessing=True)

    first = drawn(1)
    assert len(np.unique(first[:, 0])) == len(first)
    np.testing.assert_array_equal(drawn(1), first)
    assert not np.array_equal(drawn(2), first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": -1}, "workers must be an integer of at least 0"),
        ({"workers": 1.5}, "workers must be an integer of at least 0"),
        ({"max_queue_size": 0}, "max_queue_size must be a positive integer"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_arguments_that_cannot_be_honoured(method: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(model_of(), method)(Batches(), verbose=0, **arguments)


@pytest.mark.parametrize("after", [4, 9, 15])
@pytest.mark.parametrize("kind", ["generator", "Sequence"])
def test_a_resumed_training_counts_batches_used(tmp_path: Path, kind: str, after: int) -> None:
    class Augmented(Batches):
        def __getitem__(self, index: int) -> Any:
            x, y = super().__getitem__(index)
            return x + np.random.rand(*x.shape).astype("float32"), y

    class Cut(callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            time.sleep(2 * SLOW)  # so that some are read ahead
            self.seen += 1
            if self.seen == after:
                raise InterruptedError

    def train(folder: Path, *more: Any) -> Any:
        model = model_of(layers.Dropout(0.3))
        np.random.seed(5)
        source: Any = drawing(SLOW) if kind == "generator" else Augmented(SLOW)
        backup = callbacks.BackupAndRestore(folder, save_freq=2)
        steps = {"steps_per_epoch": 6} if kind == "generator" else {}
        done = model.fit(source, epochs=3, verbose=0, callbacks=[backup, *more], **steps)
        return done.history["loss"][-1], model.get_weights()

    straight = train(tmp_path / "whole")
    with pytest.raises(InterruptedError):
        train(tmp_path / "cut", Cut())
    resumed = train(tmp_path / "cut")
    assert resumed[0] == pytest.approx(straight[0], rel=1e-6)  # its batches are summed up in other groups
    for a, b in zip(resumed[1], straight[1]):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("workers", [1, 4])
def test_pictures_are_the_same_whoever_reads_them(workers: int) -> None:
    def slow(picture: Any) -> Any:
        time.sleep(SLOW / 8)
        return picture

    def weights(number: int) -> list[Any]:
        np.random.seed(3)
        x, y = np.random.rand(32, 6, 6, 3).astype("float32"), np.random.rand(32, 1)
        model = keras.Sequential([layers.Flatten(input_shape=(6, 6, 3)), layers.Dropout(0.3), layers.Dense(1)])
        model.compile("sgd", "mse")
        pictures = ImageDataGenerator(horizontal_flip=True, width_shift_range=0.2, preprocessing_function=slow)
        model.fit(pictures.flow(x, y, batch_size=8), epochs=2, verbose=0, workers=number)
        return list(model.get_weights())

    for one, other in zip(weights(0), weights(workers)):
        np.testing.assert_array_equal(one, other)
