"""What a custom layer or a Lambda finds out about training, and where its random numbers come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers
from torchkeras_compat._core import settings

X = np.ones((12, 3), "float32")
Y = np.zeros((12, 1), "float32")


def watched(seen: list[Any]) -> Any:
    def look(x: torch.Tensor) -> torch.Tensor:
        seen.append((int(K.learning_phase()), float(K.in_train_phase(1.0, 0.0))))
        return x

    model = keras.Sequential([layers.Dense(1, input_shape=(3,)), layers.Lambda(look, output_shape=(1,))])
    model.compile("sgd", "mse")
    return model


CALLS: list[tuple[str, Callable[[Any], Any], list[int]]] = [
    ("fit", lambda m: m.fit(X, Y, batch_size=6, verbose=0), [1, 1]),
    ("fit and validate", lambda m: m.fit(X, Y, batch_size=12, validation_data=(X, Y), verbose=0), [1, 0]),
    ("fit a generator", lambda m: m.fit(((X, Y) for _ in range(2)), verbose=0), [1, 1]),
    ("evaluate", lambda m: m.evaluate(X, Y, verbose=0), [0]),
    ("predict", lambda m: m.predict(X, batch_size=6), [0, 0]),
    ("predict_on_batch", lambda m: m.predict_on_batch(X), [0]),
    ("train_on_batch", lambda m: m.train_on_batch(X, Y), [1]),
    ("test_on_batch", lambda m: m.test_on_batch(X, Y), [0]),
    ("call", lambda m: m(X), [0]),
    ("call to train", lambda m: m(X, training=True), [1]),
    ("call the layer", lambda m: m.layers[1](X, training=True), [1]),
]


@pytest.mark.parametrize(("name", "call", "phases"), CALLS, ids=[case[0] for case in CALLS])
def test_learning_phase(name: str, call: Callable[[Any], Any], phases: list[int]) -> None:
    seen: list[Any] = []
    model = watched(seen)
    seen.clear()
    call(model)
    assert seen == [(phase, float(phase)) for phase in phases]
    assert settings.running_phase() is None


def test_what_was_set_wins() -> None:
    seen: list[Any] = []
    model = watched(seen)
    seen.clear()
    K.set_learning_phase(1)
    model.predict(X)
    assert seen == [(1, 1.0)]


def test_callbacks_are_outside() -> None:
    phases: list[Any] = []

    class Look(keras.callbacks.Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            phases.append(settings.running_phase())

    watched([]).fit(X, Y, callbacks=[Look()], verbose=0)
    assert phases == [None]


class Inner(layers.Layer):
    """A layer in whose `call` other layers do not hear about the mode."""

    def __init__(self, inner: Any, **kwargs: Any) -> None:
        self.inner = inner
        super().__init__(**kwargs)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.inner(inputs)  # type: ignore[no-any-return]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@pytest.mark.parametrize("inner", [lambda: layers.Dropout(0.5), lambda: torch.nn.Dropout(0.5)], ids=["keras", "torch"])
def test_layers_inside_a_layer_follow(inner: Callable[[], Any]) -> None:
    model = keras.Sequential([Inner(inner(), input_shape=(300,))])
    x = np.ones((4, 300), "float32")
    assert (model.predict(x) == 1).all()
    assert bool((model(x) == 1).all())
    assert bool((model.layers[0](x) == 1).all())
    assert not bool((model(x, training=True) == 1).all())
    assert not bool((model.layers[0](x, training=True) == 1).all())
    model.compile("sgd", "mse")
    assert model.test_on_batch(x, x) == 0
    assert model.train_on_batch(x, x) > 0.5 if list(model.parameters()) else True
    assert (model.predict(x) == 1).all()


DRAWING: list[Callable[[torch.Tensor], torch.Tensor]] = [
    lambda x: x + K.random_normal(tuple(x.shape)),
    lambda x: x + K.random_uniform(tuple(x.shape)),
    lambda x: K.in_train_phase(K.dropout(x, 0.5), x),
]


@pytest.mark.parametrize("draw", DRAWING, ids=["normal", "uniform", "dropout"])
def test_random_numbers_belong_to_the_run(draw: Callable[[torch.Tensor], torch.Tensor]) -> None:
    def run() -> list[float]:
        np.random.seed(7)
        model = keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Lambda(draw), layers.Dense(1)])
        model.compile("sgd", "mse")
        before = np.random.get_state()[2]
        losses = [float(model.train_on_batch(X, Y)) for _ in range(3)]
        assert np.random.get_state()[2] == before  # nothing drawn from numpy a batch
        return [*losses, *model.fit(X, Y, epochs=2, verbose=0).history["loss"]]

    first = run()
    assert first == run()
    assert len(set(first)) == len(first)


class Steps(keras.Model):
    """Steps of a user's own that call layers with and without a mode; Keras 2.15 answers the same."""

    def __init__(self) -> None:
        super().__init__()
        self.drop, self.norm = layers.Dropout(0.9), layers.BatchNormalization()
        self.inner = keras.Sequential([layers.Dropout(0.9)])
        self.flip = layers.RandomFlip("horizontal", seed=3)

    def _modes(self, x: Any) -> dict[str, Any]:
        pictures = x.reshape(-1, 1, 3, 1)
        return {
            "unasked": float((self.drop(x) != x).any()),
            "inner": float((self.inner(x) != x).any()),
            "trains": float((self.drop(x, training=True) != x).any()),
            "flips": float((self.flip(pictures) != pictures).any()),
        }

    def train_step(self, data: Any) -> dict[str, Any]:
        return self._modes(data[0])

    test_step = train_step

    def predict_step(self, data: Any) -> Any:
        return torch.tensor(list(self._modes(data).values()))


def test_layers_called_in_steps_of_ones_own_infer_unless_told() -> None:
    x = np.arange(36, dtype="float32").reshape(12, 3) + 1
    modes = {"unasked": 0.0, "inner": 0.0, "trains": 1.0, "flips": 1.0}
    model = Steps()
    model.compile("sgd", "mse")
    history = model.fit(x, Y, verbose=0).history
    assert {name: values[0] for name, values in history.items()} == modes
    assert model.evaluate(x, Y, verbose=0, return_dict=True) == modes
    assert model.predict(x, verbose=0).tolist() == list(modes.values())


def test_layers_called_in_compute_loss_infer_unless_told() -> None:
    changed: list[bool] = []

    class Own(keras.Sequential):
        def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
            changed.append(bool((self.beside(x) != x).any()))
            return y_pred.mean()

    model = Own([layers.Dense(1, input_shape=(3,))])
    model.beside = layers.Dropout(0.5)
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert changed == [False]


def test_the_compiled_step_inside_ones_own_trains() -> None:
    class Own(keras.Sequential):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    model = Own([Inner(layers.BatchNormalization(), input_shape=(3,))])
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    assert not np.array_equal(model.get_weights()[2], np.zeros(3))  # the moving mean has moved


def test_a_frozen_pass_beside_a_training_one() -> None:
    layer = layers.BatchNormalization(input_shape=(3,))
    x = torch.randn(8, 3)
    loss = (layer(x, training=False) * layer(x, training=True)).mean()
    loss.backward()
    assert layer.norm.weight.grad is not None
