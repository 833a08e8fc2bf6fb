"""Stateful models evaluate and predict many batches as one: the numbers and the states are those of batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L

RNG = np.random.default_rng(2)
X = RNG.normal(size=(40, 5, 3)).astype("float32")
Y = RNG.normal(size=(40, 2)).astype("float32")
FIRST = {"stateful": True, "batch_input_shape": (8, 5, 3)}

BODIES: dict[str, Callable[[], list[Any]]] = {
    "lstm": lambda: [L.LSTM(4, return_sequences=True, **FIRST), L.LSTM(3, stateful=True)],
    "gru": lambda: [L.GRU(4, return_sequences=True, **FIRST), L.Dropout(0.5), L.GRU(3, stateful=True)],
    "backwards": lambda: [L.SimpleRNN(4, return_sequences=True, go_backwards=True, **FIRST), L.Flatten()],
    "time_major": lambda: [L.LSTM(4, return_sequences=True, **FIRST), L.Dense(3, activation="relu"), L.Flatten()],
    "one_without_state": lambda: [L.LSTM(4, **FIRST, return_sequences=True), L.LSTM(3)],
    "convolution": lambda: [L.LSTM(4, **FIRST, return_sequences=True), L.Conv1D(3, 2), L.GlobalMaxPooling1D()],
}


class Watch(keras.callbacks.Callback):
    """Has batch hooks, for which batches come one by one."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen = batch + 1

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen = batch + 1


def states(model: Any) -> list[np.ndarray[Any, Any]]:
    return [s.numpy().copy() for layer in model.layers if layer.stateful for s in layer.states]


@pytest.mark.parametrize("name", BODIES)
def test_equals_batch_by_batch(name: str) -> None:
    model = keras.Sequential([*BODIES[name](), L.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    assert model._samples_at_once(True) > 8
    results = []
    for callbacks in ([Watch()], None):
        model.reset_states()
        evaluated = model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=callbacks)
        results.append((evaluated, model.predict(X, batch_size=8, verbose=0, callbacks=callbacks), states(model)))
        if callbacks:
            assert callbacks[0].seen == 5
    (expected, expected_y, expected_states), (evaluated, y, kept) = results
    np.testing.assert_allclose(evaluated, expected, rtol=1e-5)
    np.testing.assert_allclose(y, expected_y, rtol=1e-5, atol=1e-6)
    for got, want in zip(kept, expected_states):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_masks_and_layers_of_the_user_keep_batches_apart() -> None:
    class Mine(L.LSTM):
        pass

    for layers in ([L.Masking(batch_input_shape=(8, 5, 3)), L.LSTM(4, stateful=True)], [Mine(4, **FIRST)]):
        assert keras.Sequential([*layers, L.Dense(2)])._samples_at_once(True) == 0


def test_another_batch_size_is_still_refused() -> None:
    model = keras.Sequential([L.LSTM(4, **FIRST), L.Dense(2)])
    with pytest.raises(ValueError, match="8"):
        model.predict_on_batch(X[:16])
    with pytest.raises(ValueError, match="8"):
        model(X[:16])
