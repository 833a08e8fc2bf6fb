"""Layers and callbacks that users wrote for Keras 1, in every dialect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import backend as K
from torchkeras_compat import compat
from torchkeras_compat import layers as L
from torchkeras_compat.compat.helpers.recurrent import Recurrent

EVERY = ("keras-1", "keras-2.2", "keras-2.3", "tf.keras", "keras-2.15")


@pytest.fixture(params=EVERY, autouse=True)
def dialect(request: pytest.FixtureRequest) -> str:
    """Make the test's objects under each dialect."""
    tk.set_dialect(request.param)
    return str(request.param)


class Scaled(L.Layer):
    """The layer of the page «Writing your own Keras layers» of Keras 1.2."""

    def __init__(self, output_dim: int, **kwargs: Any) -> None:
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.W = self.add_weight((input_shape[1], self.output_dim), initializer="uniform", trainable=True, name="W")
        super().build(input_shape)

    def call(self, x: Any, mask: Any = None) -> Any:
        return K.dot(x, self.W)

    def get_output_shape_for(self, input_shape: Any) -> Any:
        return (input_shape[0], self.output_dim)


class Listed(Scaled):
    """The same as Keras 1.0 had it: a list of weights is assigned."""

    def build(self, input_shape: Any) -> None:
        self.W = K.variable(np.ones((input_shape[1], self.output_dim)), name="W")
        self.kept = K.variable(np.ones(2), name="kept")
        self.trainable_weights = [self.W]
        self.non_trainable_weights = [self.kept]


@pytest.mark.parametrize("cls", [Scaled, Listed])
def test_a_layer_of_keras_1_trains(cls: Any) -> None:
    model = tk.Sequential([cls(4, input_shape=(3,)), L.Dense(1)])
    assert model.output_shape == (None, 1)
    assert model.layers[0].output_shape == (None, 4)
    assert model.layers[0].compute_output_shape((None, 3)) == (None, 4)
    before = model.get_weights()
    assert [w.shape for w in model.layers[0].get_weights()] == [(3, 4), *([(2,)] if cls is Listed else [])]
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.zeros(8), verbose=0)
    changed = [not np.array_equal(old, new) for old, new in zip(before, model.get_weights())]
    assert changed[0]
    if cls is Listed:
        assert not changed[1]


def test_both_names_of_the_method_are_one() -> None:
    class Wide(L.Dense):
        def get_output_shape_for(self, input_shape: Any) -> Any:
            batch, units = super().get_output_shape_for(input_shape)
            return (batch, 2 * units)

        def call(self, x: Any, mask: Any = None) -> Any:
            y = super().call(x)
            return K.concatenate([y, y])

    class Wider(Wide):
        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*super().compute_output_shape(input_shape)[:-1], 9)

    model = tk.Sequential([Wide(3, input_shape=(2,)), L.Dense(1)])
    assert model.layers[0].output_shape == (None, 6)
    assert model.predict(np.ones((4, 2)), verbose=0).shape == (4, 1)
    assert Wider(3).get_output_shape_for((None, 2)) == (None, 9)
    for layer in (L.Dense(3), L.Flatten(), L.Embedding(4, 2), L.Activation("relu")):
        assert layer.get_output_shape_for((None, 5)) == layer.compute_output_shape((None, 5))

    class Same(L.Layer):
        def call(self, x: Any) -> Any:
            return x

        def get_output_shape_for(self, input_shape: Any) -> Any:
            return super().get_output_shape_for(input_shape)

    assert tuple(Same().compute_output_shape((None, 5))) == (None, 5)


def test_masks_as_keras_1_passed_them() -> None:
    class Mean(L.Layer):
        supports_masking = True

        def call(self, x: Any, mask: Any = None) -> Any:
            counted = K.expand_dims(K.cast(mask, "float32"))
            return K.sum(x * counted, axis=1) / K.sum(counted, axis=1)

        def compute_mask(self, input: Any, input_mask: Any = None) -> Any:
            return None

        def get_output_shape_for(self, input_shape: Any) -> Any:
            return (input_shape[0], input_shape[2])

    model = tk.Sequential([L.Masking(0.0, input_shape=(4, 2)), Mean()])
    x = np.random.RandomState(0).standard_normal((3, 4, 2)).astype("float32")
    x[:, 2:] = 0
    np.testing.assert_allclose(model.predict(x, verbose=0), x[:, :2].mean(1), rtol=1e-5)


@pytest.mark.parametrize("base", [L.SimpleRNN, L.LSTM, L.GRU])
@pytest.mark.parametrize("name", ["step", "get_constants", "preprocess_input", "get_initial_states"])
def test_steps_that_nothing_would_call(base: Any, name: str) -> None:
    with pytest.raises(TypeError, match=rf"^Mine.{name}: .* write a subclass of {base.__name__}Cell with call"):
        type("Mine", (base,), {name: lambda self, x, states=None: x})

    class WithCall(base):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return self.step(x)

        def step(self, x: Any) -> Any:
            return x * 2

    assert WithCall(2)(np.ones((1, 2, 3), "float32")).shape == (1, 2, 3)
    assert type("Named", (base,), {name: 3}) is not None


@pytest.mark.parametrize("fit", ["fit", "fit_generator"])
def test_what_callbacks_of_keras_1_read(fit: str) -> None:
    seen: list[dict[str, Any]] = []

    class Reader(tk.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            keys = "nb_epoch nb_sample epochs samples steps verbose do_validation metrics".split()
            seen.append({key: self.params.get(key) for key in keys})
            seen.append({key: self.params[key] for key in ("nb_epoch", "epochs", "metrics")})

        def on_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.batches = batch + 1

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    reader = Reader()
    model = tk.Sequential([L.Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    x, y = np.ones((6, 2)), np.zeros(6)
    if fit == "fit":
        history = model.fit(x, y, batch_size=2, epochs=5, verbose=0, callbacks=[reader], validation_data=(x, y))
    else:
        batches = iter([(x[:2], y[:2])] * 99)
        history = model.fit_generator(
            batches, steps_per_epoch=3, epochs=5, verbose=0, callbacks=[reader], validation_data=(x, y)
        )
    assert history.epoch == [0, 1]
    assert reader.batches == 3
    told, named = seen
    assert (told["nb_epoch"], told["epochs"], told["do_validation"], told["verbose"]) == (5, 5, True, 0)
    assert told["nb_sample"] == told["samples"] == (6 if fit == "fit" else None)
    assert told["steps"] == 3
    assert named["metrics"] == ["loss", "val_loss"]


# --- recurrent layers with steps of their own ---


class Leaky(Recurrent):
    """`h = tanh(x W + keep · h U)`, as recurrent layers of Keras 1 were written."""

    def __init__(self, output_dim: int, keep: float = 0.5, **kwargs: Any) -> None:
        self.output_dim, self.keep = output_dim, keep
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.input_spec = [L.InputSpec(shape=input_shape)]
        self.W = self.add_weight((input_shape[2], self.output_dim), initializer="glorot_uniform", name="W")
        self.U = self.add_weight((self.output_dim, self.output_dim), initializer="orthogonal", name="U")
        self.states = [None]
        self.built = True

    def preprocess_input(self, x: Any) -> Any:
        return K.dot(x, self.W)

    def get_constants(self, x: Any) -> Any:
        return [K.cast_to_floatx(self.keep)]

    def step(self, x: Any, states: Any) -> Any:
        h, keep = states
        h = K.tanh(x + keep * K.dot(h, self.U))
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_dim": self.output_dim, "keep": self.keep}


def walked(x: Any, w: Any, u: Any, mask: Any, start: Any = 0.0) -> Any:
    """Return all outputs of `Leaky`: a masked step repeats the one before."""
    h, outputs = np.zeros((len(x), u.shape[0])) + start, []
    for t in range(x.shape[1]):
        h = np.where(mask[:, t, None], np.tanh(x[:, t] @ w + 0.5 * h @ u), h)
        outputs.append(h)
    return np.stack(outputs, 1)


def test_a_recurrent_layer_of_keras_1() -> None:
    compat.install()
    try:
        from keras import layers
        from keras.layers import recurrent
    finally:
        compat.uninstall()
    assert layers.Recurrent is recurrent.Recurrent is Recurrent
    assert isinstance(L.LSTM(2), Recurrent)
    assert not isinstance(L.LSTM(2), Leaky)
    assert not isinstance(L.Dense(2), Recurrent)
    x = np.random.RandomState(5).standard_normal((4, 6, 3)).astype("float32")
    mask = np.arange(6) < np.array([[6], [4], [2], [5]])
    x *= mask[..., None]
    model = tk.Sequential([L.Masking(0.0, input_shape=(6, 3)), Leaky(5, return_sequences=True), Leaky(4), L.Dense(1)])
    assert [layer.output_shape for layer in model.layers[1:3]] == [(None, 6, 5), (None, 4)]
    w, u, w2, u2, kernel, _ = model.get_weights()
    expected = walked(walked(x, w, u, mask), w2, u2, mask)[:, -1] @ kernel
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)
    model.compile("sgd", "mse")
    model.fit(x, np.ones(4), verbose=0)
    assert all(not np.array_equal(old, new) for old, new in zip((w, u, w2, u2), model.get_weights()))
    again = tk.models.model_from_json(model.to_json(), custom_objects={"Leaky": Leaky})
    assert again.layers[2].keep == 0.5
    every = np.ones((4, 6), bool)
    layer = Leaky(5, go_backwards=True)
    assert layer(x).shape == (4, 5)
    np.testing.assert_allclose(
        layer(x).detach(), walked(x[:, ::-1], *layer.get_weights(), every)[:, -1], rtol=1e-4, atol=1e-5
    )
    out, state = Leaky(5, return_state=True, return_sequences=True)(x)
    np.testing.assert_array_equal(out[:, -1].detach(), state.detach())
    start = np.full((4, 5), 0.3, "float32")
    layer = Leaky(5)
    layer.build((None, 6, 3))
    np.testing.assert_allclose(
        layer(x, initial_state=[start]).detach(),
        walked(x, *layer.get_weights(), every, 0.3)[:, -1],
        rtol=1e-4,
        atol=1e-5,
    )
    with pytest.raises(ValueError, match=r"RNN\(cell, stateful=True\)"):
        Leaky(5, stateful=True)


@pytest.mark.parametrize(
    ("dialect", "kind"), [("keras-1", "tuple"), ("keras-2.3", "tuple"), ("tf.keras", "TensorShape")]
)
def test_shapes_of_several_inputs_are_tuples_in_the_classic_dialects(dialect: str, kind: str) -> None:
    """A capsule network's mask asks so whether it was given the labels too."""
    tk.set_dialect(dialect)
    seen: list[str] = []

    class Mask(L.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            seen.append(type(input_shape[0]).__name__)
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return inputs[0] * inputs[1]

        def compute_output_shape(self, input_shape: Any) -> Any:
            seen.append(type(input_shape[0]).__name__)
            return input_shape[0]

    Mask()([tk.Input((3,)), tk.Input((3,))])
    assert set(seen) == {kind}

    class One(L.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            assert input_shape.as_list() == [None, 3]

        def call(self, inputs: Any) -> Any:
            return inputs

    One()(tk.Input((3,)))
