"""`callback.validation_data`, as classic Keras sets it: read off `fit_loop` and `fit_generator` of Keras 2.3.1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers

X = np.random.RandomState(0).rand(10, 3)
Y = (X.sum(1) > 1.5).astype("int64")
W = np.linspace(0, 1, 10)


class Metrics(keras.callbacks.Callback):
    """What scripts do with it: F1 and the like after each epoch."""

    seen: Any = "nothing"

    def on_train_begin(self, logs: Any = None) -> None:
        self.seen, self.on_model = self.validation_data, self.model.validation_data

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.validation_data:
            self.predicted = self.model.predict(self.validation_data[0])
            self.targets = self.validation_data[1]


def model_of(*more: Any) -> Any:
    model = keras.Sequential([layers.Dense(4, input_shape=(3,)), *more, layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    return model


def seen(model: Any, *args: Any, method: str = "fit", **kwargs: Any) -> Any:
    watch = Metrics()
    getattr(model, method)(*args, verbose=0, callbacks=[watch], **kwargs)
    assert model.validation_data is None
    assert watch.on_model is watch.seen
    return watch.seen


DIALECTS = ["keras-1", "keras-2.2", "keras-2.3", "tf.keras", "keras-2.15"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_arrays(dialect: str) -> None:
    keras.set_dialect(dialect)
    x, y, weight = seen(model_of(), X, Y, validation_split=0.3)
    np.testing.assert_array_equal(x, X[7:])
    np.testing.assert_array_equal(y, Y[7:, None])
    assert (x.dtype, y.dtype) == (X.dtype, Y.dtype)
    assert weight.dtype == np.float32
    np.testing.assert_array_equal(weight, np.ones(3))
    x, y, weight = seen(model_of(), X, Y, validation_data=(X[:4], Y[:4], W[:4]))
    np.testing.assert_array_equal(x, X[:4])
    np.testing.assert_array_equal(weight, W[:4])
    x, y, weight = seen(model_of(), X, Y, sample_weight=W, validation_split=0.3)
    np.testing.assert_array_equal(weight, W[7:])


def test_class_weights_of_the_split() -> None:
    weight = seen(model_of(), X, Y, class_weight={0: 2.0, 1: 3.0}, validation_split=0.3)[2]
    np.testing.assert_array_equal(weight, np.where(Y[7:] == 1, 3.0, 2.0))


def test_they_are_the_caller_s_arrays() -> None:
    assert seen(model_of(), X, Y, validation_data=(X, Y))[0] is X
    assert np.shares_memory(seen(model_of(), X, Y, validation_split=0.3)[0], X)


@pytest.mark.parametrize("convert", [pd.DataFrame, torch.from_numpy, np.ndarray.tolist])
def test_other_kinds_of_data(convert: Any) -> None:
    x, y, _ = seen(model_of(), convert(X), convert(Y[:, None]), validation_split=0.3)
    assert isinstance(x, np.ndarray)
    np.testing.assert_array_equal(x, X[7:])
    np.testing.assert_array_equal(y, Y[7:, None])


PHASES: list[tuple[Any, bool]] = [
    (lambda: layers.Dropout(0.5), True),
    (lambda: layers.Dropout(0), False),
    (lambda: layers.BatchNormalization(), True),
    (lambda: layers.GaussianNoise(0.1), True),
    (lambda: layers.Activation("relu"), False),
    (lambda: keras.Sequential([layers.Dropout(0.5, input_shape=(4,))]), True),
]


@pytest.mark.parametrize(("make", "phase"), PHASES)
def test_the_learning_phase(make: Any, phase: bool) -> None:
    held = seen(model_of(make()), X, Y, validation_split=0.3)
    assert len(held) == 3 + phase
    assert held[3:] == [0] * phase


def batches() -> Iterator[Any]:
    while True:
        yield X, Y


def test_generators() -> None:
    x, y, _ = seen(model_of(), batches(), method="fit_generator", steps_per_epoch=1, validation_data=(X, Y))
    assert (x.shape, y.shape) == ((10, 3), (10, 1))
    options: dict[str, Any] = {"steps_per_epoch": 1, "validation_data": batches(), "validation_steps": 1}
    assert seen(model_of(), batches(), method="fit_generator", **options) is None


def test_without_validation() -> None:
    assert seen(model_of(), X, Y) == []
    assert seen(model_of(), batches(), steps_per_epoch=1) is None
    keras.set_dialect("tf.keras")
    assert seen(model_of(), X, Y) is None


class Own(Metrics):
    """A callback for tf.keras, which sets nothing: it brings its data."""

    def __init__(self, data: Any) -> None:
        super().__init__()
        self.validation_data = data


def test_what_a_callback_has_set_itself() -> None:
    data = (X[:2], Y[:2])
    for dialect, kept in (("tf.keras", True), ("keras-2.15", True), ("keras-2.3", False)):
        keras.set_dialect(dialect)
        own = Own(data)
        model_of().fit(X, Y, validation_split=0.3, verbose=0, callbacks=[own])
        assert (own.seen is data) is kept
        own = Own(data)
        model_of().fit(X, Y, verbose=0, callbacks=[own])
        assert own.seen is data


def test_one_callback_for_two_runs() -> None:
    watch, model = Metrics(), model_of()
    model.fit(X, Y, validation_split=0.3, verbose=0, callbacks=[watch])
    assert watch.targets.shape == (3, 1)
    model.fit(X, Y, validation_split=0.5, verbose=0, callbacks=[watch])
    assert watch.targets.shape == (5, 1)
    model.fit(batches(), steps_per_epoch=1, verbose=0, callbacks=[watch])
    assert watch.seen is None


def test_weights_of_time_steps() -> None:
    model = keras.Sequential([layers.SimpleRNN(1, return_sequences=True, input_shape=(5, 2))])
    model.compile("sgd", "mse", sample_weight_mode="temporal")
    x, y = np.ones((6, 5, 2)), np.ones((6, 5, 1))
    assert [a.shape for a in seen(model, x, y, validation_split=0.5)] == [(3, 5, 2), (3, 5, 1), (3, 5)]
