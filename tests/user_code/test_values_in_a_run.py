"""`layer.output` inside a user's loss or metric is what the layer gave in the run, drop-out and all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers

X = np.random.RandomState(0).rand(12, 4).astype("float32")


def encoder(**options: Any) -> Any:
    code = layers.Dense(5, activation="sigmoid", input_dim=4, name="code")
    inner = keras.Sequential([code, layers.Dropout(0.5, name="drop")], name="inner")
    return keras.Sequential([inner, layers.Dense(4, name="last", **options)])


def test_contractive_autoencoder_against_its_penalty() -> None:
    """The penalty of the code as an activity regularizer of the same size gives the same training."""

    def built(regularizer: Any) -> Any:
        model = keras.Sequential(
            [
                layers.Dense(3, activation="sigmoid", input_dim=4, name="enc", activity_regularizer=regularizer),
                layers.Dense(4),
            ]
        )
        for layer in model.layers:
            layer.set_weights([np.sin(np.arange(w.size)).reshape(w.shape) for w in layer.get_weights()])
        return model

    one, other = built(None), built(lambda h: 0.1 * K.sum(K.square(h)) / K.cast(K.shape(h)[0], "float32"))

    def loss(t: Any, p: Any) -> Any:
        h = one.get_layer("enc").output
        return K.mean(K.square(t - p), axis=1) + 0.1 * K.sum(K.square(h), axis=1)

    one.compile("sgd", loss)
    other.compile("sgd", "mse")
    histories = [m.fit(X, X, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"] for m in (one, other)]
    np.testing.assert_allclose(*histories, rtol=1e-5)
    np.testing.assert_allclose(one.evaluate(X, X, verbose=0), other.evaluate(X, X, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(one.train_on_batch(X, X), other.train_on_batch(X, X), rtol=1e-5)
    for a, b in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid"])
@pytest.mark.parametrize("asked", ["inside", "outside"])
def test_the_draw_of_the_forward_pass(asked: str, activation: str | None) -> None:
    model = encoder(activation=activation)
    names = {"code": model.layers[0].get_layer("code"), "drop": model.layers[0].get_layer("drop"), "model": model}
    outside = {name: layer.output for name, layer in names.items()}
    seen: list[dict[str, Any]] = []

    def loss(t: Any, p: Any) -> Any:
        outputs = {name: layer.output for name, layer in names.items()} if asked == "inside" else outside
        values = {name: K.get_value(output + 0.0) for name, output in outputs.items()}
        seen.append({**values, "x": K.get_value(model.input + 0.0), "p": p.numpy()})
        return K.mean(K.square(t - p), axis=-1) + K.mean(outputs["drop"], axis=-1)

    model.compile("sgd", loss)
    model.fit(X, X, batch_size=12, shuffle=False, verbose=0)
    found = seen[-1]
    zero = found["drop"] == 0
    assert 0.1 < zero.mean() < 0.9
    np.testing.assert_allclose(found["drop"][~zero], (found["code"] * 2)[~zero], rtol=1e-4)
    np.testing.assert_allclose(found["model"], found["p"], rtol=1e-6)
    np.testing.assert_array_equal(found["x"], X)
    model.evaluate(X, X, verbose=0)
    np.testing.assert_allclose(seen[-1]["drop"], seen[-1]["code"])


def test_it_has_a_tensors_methods_in_the_run() -> None:
    model = encoder()
    outside = model.layers[0].output
    with pytest.raises(AttributeError, match="symbolic"):
        outside.numpy()

    def metric(t: Any, p: Any) -> Any:
        h = model.layers[0].output
        assert h.shape.as_list()[1] == outside.numpy().shape[1] == 5
        h *= 2.0
        return h.sum() / outside.sum()

    model.compile("sgd", "mse", metrics=[metric])
    assert model.evaluate(X, X, verbose=0)[1] == pytest.approx(2.0)
    assert model.fit(X, X, verbose=0).history["metric"] == [pytest.approx(2.0)]


def test_a_model_that_does_not_run_has_no_values() -> None:
    other = encoder()
    model = encoder()
    model.compile("sgd", lambda t, p: K.mean(K.square(p - other.layers[0].output), axis=-1))
    with pytest.raises(ValueError, match="is an input without a value"):
        model.fit(X, X, verbose=0)
