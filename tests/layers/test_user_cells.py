"""Cells of users whose layers are built by their first call: their weights are there when the model is, and train."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import compat, layers

RNG = np.random.RandomState(0)
X = RNG.randn(6, 4, 3).astype("float32")


class Cell(layers.Layer):
    """A simple cell that leaves its matrix to a Dense, and its configuration to the base."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = size
        self.dense = layers.Dense(size)

    def call(self, inputs: Any, states: Any) -> Any:
        h = K.tanh(self.dense(inputs) + states[0])
        return h, [h]


def walked(kernel: np.ndarray[Any, Any], bias: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> Any:
    """Return the states of such a cell over a sequence, by numpy."""
    h, outputs = np.zeros((len(x), kernel.shape[1]), "float32"), []
    for step in range(x.shape[1]):
        h = np.tanh(x[:, step] @ kernel + bias + h)
        outputs.append(h)
    return np.stack(outputs, 1)


WRAPPED: dict[str, tuple[Callable[[], Any], int]] = {
    "RNN": (lambda: layers.RNN(Cell(2)), 2),
    "list": (lambda: layers.RNN([Cell(2), layers.LSTMCell(3)]), 5),
    "StackedRNNCells": (lambda: layers.RNN(layers.StackedRNNCells([layers.GRUCell(2), Cell(3)])), 5),
    "Bidirectional": (lambda: layers.Bidirectional(layers.RNN(Cell(2))), 4),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Bidirectional(layers.RNN(Cell(2)))), 4),
}


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("functional", [True, False])
def test_weights_are_there_and_train(name: str, functional: bool) -> None:
    make, count = WRAPPED[name]
    shape, x = ((5, 4, 3), X[:, None].repeat(5, 1)) if name == "TimeDistributed" else ((4, 3), X)
    if functional:
        symbol = keras.Input(shape)
        model = keras.Model(symbol, make()(symbol))
    else:
        model = keras.Sequential([layers.InputLayer(shape), make()])
    before = model.get_weights()
    assert len(before) == count
    model.compile("sgd", "mse")
    target = np.ones((6, *model.output_shape[1:]), "float32")
    first, *_, last = model.fit(x, target, epochs=4, verbose=0).history["loss"]
    assert last < first
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_numbers() -> None:
    model = keras.Sequential([layers.RNN(Cell(2), return_sequences=True, input_shape=(4, 3))])
    np.testing.assert_allclose(model.predict(X, verbose=0), walked(*model.get_weights(), X), rtol=1e-5, atol=1e-6)


def test_states_of_a_stateful_layer_stay_where_they_were() -> None:
    model = keras.Sequential([layers.RNN(Cell(2), stateful=True, batch_input_shape=(6, 4, 3))])
    np.testing.assert_allclose(
        model.predict(X, verbose=0), walked(*model.get_weights(), X)[:, -1], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("dialect", "path"), [("keras-2.3", "lstm_1/kernel:0"), ("keras-2.15", "lstm/lstm_cell/kernel:0")]
)
def test_names_of_weights_have_the_cell_in_them_where_keras_has(dialect: str, path: str) -> None:
    keras.set_dialect(dialect)
    model = keras.Sequential([layers.LSTM(2, input_shape=(4, 3))])
    assert model.weights[0].name == path


def test_stacked_cells_are_of_the_dialect_of_their_layer() -> None:
    # Keras 2.15.0 has rnn/stacked_rnn_cells/cell/…; `keras` may stand for another dialect beside tensorflow.keras.
    compat.install()
    try:
        of_tensorflow = importlib.import_module("tensorflow.keras.layers")
        cells = [of_tensorflow.LSTMCell(2), of_tensorflow.LSTMCell(3)]
        layer = of_tensorflow.RNN(cells)
    finally:
        compat.uninstall()
    assert (layer.cell.name, layer.cell._dialect) == ("stacked_rnn_cells", "tf.keras")


# --- configurations --------------------------------------------------------------------------------------------------


class Scaled(layers.Layer):
    """A layer that keeps something else than it was told."""

    def __init__(self, factor: float, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor * 2

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


def test_a_configuration_has_what_a_layer_was_made_with() -> None:
    # Keras 2.15 notes the arguments of a constructor; an attribute of that name may have become something else.
    layer = Scaled(3.0, name="s")
    assert {key: layer.get_config()[key] for key in ("factor", "axis")} == {"factor": 3.0, "axis": -1}
    assert Scaled.from_config(layer.get_config()).factor == 6.0


def test_what_json_cannot_hold_and_nobody_kept_is_asked_for() -> None:
    class Of(layers.Layer):
        def __init__(self, thing: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    assert Of([1, {"a": (None, "b")}]).get_config()["thing"] == [1, {"a": (None, "b")}]
    with pytest.raises(NotImplementedError, match=r"store self\.thing, or override get_config"):
        Of(object()).get_config()
