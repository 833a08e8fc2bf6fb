"""`predict` and `evaluate` from several threads at once give what one thread gets."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import backend as K
from torchkeras_compat import layers, losses, metrics

THREADS = 8
X = np.random.RandomState(0).randn(48, 6).astype("float32")
SEQUENCES = np.random.RandomState(1).randn(48, 5, 3).astype("float32")
SEQUENCES[::3, 3:] = 0
Y = (X.sum(1) > 0).astype("float32")[:, None]


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before, threads = sys.getswitchinterval(), torch.get_num_threads()
    sys.setswitchinterval(1e-6)
    torch.set_num_threads(1)
    yield
    sys.setswitchinterval(before)
    torch.set_num_threads(threads)


def together(work: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """Run `work(i)` in threads that start at one moment."""
    start = threading.Barrier(count)

    def run(i: int) -> Any:
        start.wait()
        return work(i)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class Lasso(layers.Layer):
    """Adds a loss of its own."""

    def call(self, inputs: Any) -> Any:
        self.add_loss(0.1 * K.mean(K.abs(inputs)))
        return inputs


def phase(x: Any) -> Any:
    return K.in_train_phase(x + 1000.0, x)


MODELS: dict[str, Callable[[], list[Any]]] = {
    "dense": lambda: [layers.Dense(4, activation="relu", input_shape=(6,)), layers.Dense(1, activation="sigmoid")],
    "norm": lambda: [layers.BatchNormalization(input_shape=(6,)), layers.Dropout(0.5), layers.Dense(1)],
    "penalty": lambda: [layers.Dense(3, activity_regularizer="l2", input_shape=(6,)), Lasso(), layers.Dense(1)],
    "phase": lambda: [layers.Lambda(phase, input_shape=(6,)), layers.Dense(1)],
    "nested": lambda: [tk.Sequential([layers.Dense(4, activity_regularizer="l1", input_shape=(6,))]), layers.Dense(1)],
    "lstm": lambda: [layers.LSTM(4, input_shape=(5, 3)), layers.Dense(1)],
    "masks": lambda: [
        layers.Masking(input_shape=(5, 3)),
        layers.LSTM(4, return_sequences=True),
        layers.GRU(3),
        layers.Dense(1),
    ],
    "unbuilt": lambda: [layers.Dense(4), layers.Dense(1)],
}


def made(name: str) -> Any:
    np.random.seed(3)
    model = tk.Sequential(MODELS[name]())
    model.compile("sgd", "mse", metrics=["mae", metrics.AUC(num_thresholds=20)])
    return model


def data(name: str, rows: slice) -> tuple[Any, Any]:
    return (SEQUENCES if name in ("lstm", "masks") else X)[rows], Y[rows]


@pytest.mark.parametrize("name", MODELS)
def test_predict(name: str) -> None:
    model = made(name)
    slices = [slice(i, i + 1 + i) for i in range(THREADS)]
    if name == "unbuilt":  # the first calls build it, together
        together(lambda i: model.predict(data(name, slices[i])[0], verbose=0))
        assert [w.shape for w in model.get_weights()] == [(6, 4), (4,), (4, 1), (1,)]
    expected = [model.predict(data(name, s)[0], verbose=0) for s in slices]

    def work(i: int) -> None:
        x = data(name, slices[i])[0]
        for turn in range(20):
            call = (model.predict, model.predict_on_batch, lambda v: model(v).detach().numpy())[turn % 3]
            found = call(x, verbose=0) if turn % 3 == 0 else call(x)
            np.testing.assert_allclose(found, expected[i], rtol=1e-5, atol=1e-6)

    together(work)


@pytest.mark.parametrize("name", MODELS)
def test_evaluate(name: str) -> None:
    model = made(name)
    slices = [slice(i, i + 20) for i in range(THREADS)]
    expected = [model.evaluate(*data(name, s), batch_size=8, verbose=0) for s in slices]

    def work(i: int) -> None:
        for turn in range(6):
            if turn % 2:
                found = model.evaluate(*data(name, slices[i]), batch_size=8, verbose=0)
            else:
                model.predict(data(name, slices[i])[0], verbose=0)  # its side losses are nobody's
                found = model.test_on_batch(*data(name, slices[i]))
            if turn % 2 or name not in ("masks", "penalty", "nested"):  # one batch of those has another loss
                np.testing.assert_allclose(found, expected[i], rtol=1e-4, atol=1e-6)

    together(work)


def test_the_first_evaluations_come_together() -> None:
    expected = made("dense").evaluate(X, Y, verbose=0)
    for _ in range(5):
        model = made("dense")
        for found in together(lambda _, model=model: model.evaluate(X, Y, verbose=0)):
            np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("captured", [False, True])
@pytest.mark.parametrize("name", ["norm", "phase", "penalty", "masks"])
def test_predict_while_another_model_trains(name: str, captured: bool, uncompiled: None) -> None:
    model, other = made(name), made(name)
    other.compile("sgd", "mse", jit_compile=captured)
    x, y = data(name, slice(0, 40))
    expected, stop = model.predict(x, verbose=0), threading.Event()

    def work(i: int) -> None:
        if i == 0:
            try:
                for _ in range(4):
                    other.fit(x, y, batch_size=4, verbose=0)
            finally:
                stop.set()
            return
        while not stop.is_set():
            np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
            assert model(x[:2]).shape == (2, 1)

    together(work, 3)


def test_a_stateful_model_runs_batch_after_batch() -> None:
    model = tk.Sequential([layers.LSTM(3, stateful=True, batch_input_shape=(2, 5, 3)), layers.Dense(1)])
    x = SEQUENCES[:2]
    expected = [model.predict(x, batch_size=2, verbose=0).tobytes() for _ in range(THREADS * 3)]
    model.reset_states()
    found = together(lambda _: [model.predict(x, batch_size=2, verbose=0).tobytes() for _ in range(3)])
    assert sorted(v for each in found for v in each) == sorted(expected)


def test_scopes_of_names_are_each_thread_s_own() -> None:
    def work(i: int) -> None:
        def activation(x: Any) -> Any:
            return x * i

        for _ in range(20):
            with tk.utils.custom_object_scope({"mine": activation}):
                time.sleep(0)
                layer = layers.Dense.from_config({"units": 1, "activation": "mine"})
                assert layer.activation is activation

    together(work)


def test_a_model_with_a_lock_is_copied_and_saved() -> None:
    import copy
    import pickle

    model = made("dense")
    expected = model.evaluate(X, Y, verbose=0)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        twin.compile("sgd", losses.MeanSquaredError(), metrics=["mae", metrics.AUC(num_thresholds=20)])
        np.testing.assert_allclose(twin.evaluate(X, Y, verbose=0), expected, rtol=1e-5)
