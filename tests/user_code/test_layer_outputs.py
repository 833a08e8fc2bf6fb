"""Masks that users' functions need, and outputs of layers inside losses and metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L

random = np.random.RandomState(0)
X = random.randn(12, 4).astype("float32")
Y = np.eye(3, dtype="float32")[random.randint(3, size=12)]
WORDS = np.concatenate([np.ones((12, 1), int), random.randint(0, 5, (12, 3))], axis=1)


def _mean(x: Any, mask: Any = None) -> Any:
    valid = K.expand_dims(K.cast(mask, "float32"), -1)
    return K.sum(x * valid, axis=1) / K.sum(valid, axis=1)


def _sum_of_repeated(x: Any, mask: Any) -> Any:
    valid = K.permute_dimensions(K.repeat(K.cast(mask, K.floatx()), int(x.shape[-1])), (0, 2, 1))
    valid *= x
    return K.sum(valid, axis=1) / K.sum(K.cast(mask, "float32"), axis=1, keepdims=True)


class Mean(L.Layer):
    supports_masking = True

    def call(self, x: Any, mask: Any = None, training: Any = None) -> Any:
        if mask is None:
            raise ValueError("a mask is needed")
        return _mean(x, mask)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return None


class MeanOfKnownShape(Mean):
    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], input_shape[2])


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.Lambda(_mean),
        lambda: L.Lambda(_mean, output_shape=(3,)),
        lambda: L.Lambda(_mean, output_shape=lambda s: (s[0], s[2])),
        lambda: L.Lambda(_sum_of_repeated),
        Mean,
        MeanOfKnownShape,
    ],
)
def test_functions_that_need_the_mask(layer: Callable[[], Any]) -> None:
    model = keras.Sequential([L.Embedding(5, 3, mask_zero=True, input_length=4), layer(), L.Dense(3)])
    model.compile("sgd", "mse")
    for _ in range(2):
        table, kernel, bias = model.get_weights()
        rows, valid = table[WORDS], (WORDS != 0)[..., None]
        expected = (rows * valid).sum(1) / valid.sum(1) @ kernel + bias
        np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected, rtol=1e-5, atol=1e-6)
        assert model.evaluate(WORDS, Y, verbose=0) == pytest.approx(((expected - Y) ** 2).mean(), rel=1e-5)
        model.fit(WORDS, Y, verbose=0)


def network() -> tuple[Any, Any, Any]:
    first = L.Dense(5, activation="tanh", input_shape=(4,))
    inner = keras.Sequential([L.Dense(4, activation="relu", input_shape=(5,)), L.Dense(4)])
    return keras.Sequential([first, inner, L.Dense(3)]), first, inner


def values(model: Any) -> tuple[Any, Any, Any]:
    """Return what the first layer, the nested model and the model give for X."""
    w = model.get_weights()
    a = np.tanh(X @ w[0] + w[1])
    b = np.maximum(a @ w[2] + w[3], 0) @ w[4] + w[5]
    return a, b, b @ w[6] + w[7]


def _augmented(output: Any) -> Any:
    output *= 2.0
    output += 1.0
    return output


# What is added to the squared error, here and in numpy.
TERMS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "layer.output": (lambda m, d, i, p: K.mean(K.square(d.output), -1), lambda a, b, o: (a**2).mean(-1)),
    "model.output": (lambda m, d, i, p: K.sum(K.abs(m.output), -1), lambda a, b, o: np.abs(o).sum(-1)),
    "model.input": (lambda m, d, i, p: K.mean(K.abs(m.input), -1), lambda a, b, o: np.abs(X).mean(-1)),
    "nested": (lambda m, d, i, p: K.sum(K.abs(i.output), -1), lambda a, b, o: np.abs(b).sum(-1)),
    "layers": (
        lambda m, d, i, p: K.sum(m.layers[1].output, -1) + m.layers[0].output[:, 0] * d.input[:, -1],
        lambda a, b, o: b.sum(-1) + a[:, 0] * X[:, -1],
    ),
    "arrays": (
        lambda m, d, i, p: K.sum(d.output * np.arange(5.0) + [1.0, 2, 3, 4, 5] * d.output, -1),
        lambda a, b, o: (a * np.arange(5) + a * np.arange(1, 6)).sum(-1),
    ),
    "augmented": (lambda m, d, i, p: K.mean(_augmented(d.output), -1), lambda a, b, o: (2 * a + 1).mean(-1)),
    "with predictions": (lambda m, d, i, p: K.mean(p * m.layers[2].output, -1), lambda a, b, o: (o * o).mean(-1)),
}


@pytest.mark.filterwarnings("ignore:compile.jit_compile")
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("name", TERMS)
def test_outputs_in_losses_and_metrics(name: str, jit: bool, uncompiled: None) -> None:
    term, expected = TERMS[name]
    model, first, inner = network()

    def loss(t: Any, p: Any) -> Any:
        return K.mean(K.square(t - p), axis=-1) + term(model, first, inner, p)

    model.compile(keras.optimizers.SGD(0.01), loss, metrics=[loss, "mse"], jit_compile=jit)
    for call in (
        lambda: model.evaluate(X, Y, verbose=0, batch_size=5),
        lambda: model.train_on_batch(X, Y),
        lambda: model.test_on_batch(X, Y),
        lambda: [v[0] for v in model.fit(X, Y, batch_size=12, verbose=0).history.values()],
        lambda: [v[0] for v in model.fit(X, Y, batch_size=12, verbose=0).history.values()],
    ):
        a, b, o = values(model)
        squares = ((o - Y) ** 2).mean()
        total = squares + expected(a, b, o).mean()
        np.testing.assert_allclose(call(), [total, total, squares], rtol=1e-4)


@pytest.mark.filterwarnings("ignore:compile.jit_compile")
@pytest.mark.parametrize("jit", [False, True])
def test_they_are_those_of_the_forward_pass(jit: bool, uncompiled: None) -> None:
    dropout = L.Dropout(0.5)
    model = keras.Sequential([L.Dense(6, input_shape=(4,)), dropout, L.Lambda(lambda x: x * 1.0)])

    def difference(t: Any, p: Any) -> Any:
        return K.mean(K.abs(p - dropout.output), axis=-1)

    def dropped(t: Any, p: Any) -> Any:
        return K.mean(K.cast(K.equal(dropout.output, 0.0), "float32"))

    model.compile(keras.optimizers.SGD(0.0), difference, metrics=[difference, dropped], jit_compile=jit)
    y = np.zeros((12, 6))
    history = model.fit(X, y, epochs=3, batch_size=4, verbose=0).history
    assert history["loss"] == history["difference"] == [0, 0, 0]
    assert min(history["dropped"]) > 0.2
    assert model.evaluate(X, y, verbose=0) == [0, 0, 0]


def test_a_metric_asks_beside_a_built_in_loss() -> None:
    model = keras.Sequential([L.Dense(5, activation="relu", input_shape=(4,)), L.Dense(3, activation="softmax")])

    class Active(keras.metrics.Metric):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.total = self.add_weight(name="total", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.total.assign_add(K.sum(model.layers[0].output))

        def result(self) -> Any:
            return self.total

    def zeros(t: Any, p: Any) -> Any:
        return K.mean(K.cast(K.equal(model.layers[0].output, 0.0), "float32"), axis=-1)

    model.compile(keras.optimizers.SGD(0.5), "categorical_crossentropy", metrics=[zeros, Active(name="active")])
    for _ in range(3):
        w = model.get_weights()
        hidden = np.maximum(X @ w[0] + w[1], 0)
        expected = [(hidden == 0).mean(), hidden.sum()]
        np.testing.assert_allclose(model.evaluate(X, Y, verbose=0)[1:], expected, rtol=1e-5)
        history = model.fit(X, Y, batch_size=12, verbose=0).history
        np.testing.assert_allclose([history["zeros"][0], history["active"][0]], expected, rtol=1e-5)


def test_a_layer_lists_the_metrics_it_holds() -> None:
    """In attributes, in lists of them and in layers inside it, as in Keras 2.15."""

    class Watched(L.Layer):
        def __init__(self, inner: Any = None) -> None:
            super().__init__()
            self.alone = keras.metrics.Mean(name="alone")
            self.several = [keras.metrics.Mean(name="first"), keras.metrics.Mean(name="second")]
            self.inner = inner

    assert [metric.name for metric in Watched().metrics] == ["alone", "first", "second"]
    assert [metric.name for metric in Watched(Watched()).metrics] == ["alone", "first", "second"] * 2


def test_a_users_metric_changes_no_loss() -> None:
    losses = []
    for metrics in ([], [lambda t, p: K.mean(p)], ["mae", lambda t, p: K.mean(p - t, axis=-1)]):
        layers = [L.Dense(5, "relu", input_shape=(4,)), L.Dense(3, "softmax")]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", metrics=metrics)
        model.set_weights([np.sin(np.arange(w.size)).reshape(w.shape) for w in model.get_weights()])
        losses.append(model.fit(X, Y, batch_size=5, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    np.testing.assert_allclose(losses[2], losses[0], rtol=1e-5)


def _of_a_layer(kernel: Any, model: Any) -> None:
    model.layers[0].add_loss(lambda: 0.1 * K.sum(K.square(kernel)))


def _of_the_model(kernel: Any, model: Any) -> None:
    model.add_loss(lambda: keras.regularizers.l2(0.1)(kernel))


def _expression(kernel: Any, model: Any) -> None:
    model.add_loss(0.1 * K.sum(K.square(kernel)))


@pytest.mark.filterwarnings("ignore:compile.jit_compile")
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("add", [_of_a_layer, _of_the_model, _expression])
def test_losses_that_are_added_once_count_in_each_step(add: Any, jit: bool, uncompiled: None) -> None:
    dense = L.Dense(3, input_shape=(4,))
    model = keras.Sequential([dense])
    add(dense.kernel, model)
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit)

    def expected() -> float:
        penalty = 0.1 * (dense.get_weights()[0] ** 2).sum()
        return float(((model.predict(X, verbose=0) - Y) ** 2).mean() + penalty)

    for call in (
        lambda: model.evaluate(X, Y, verbose=0, batch_size=5),
        lambda: model.train_on_batch(X, Y),
        lambda: model.fit(X, Y, batch_size=12, verbose=0).history["loss"][0],
        lambda: model.test_on_batch(X, Y),
    ):
        loss = expected()
        assert call() == pytest.approx(loss, rel=1e-4)
    kernel, bias = dense.get_weights()
    gradient = X.T @ (2 * (X @ kernel + bias - Y) / Y.size) + 0.2 * kernel
    model.train_on_batch(X, Y)
    np.testing.assert_allclose(dense.get_weights()[0], kernel - 0.1 * gradient, rtol=1e-4, atol=1e-6)
    assert len(model.losses) == 1


def test_an_output_is_added_to_the_loss_of_each_step() -> None:
    dense = L.Dense(3, input_shape=(4,))
    model = keras.Sequential([dense, L.Dense(3)])
    model.add_loss(K.mean(K.abs(dense.output)))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    for _ in range(2):
        kernel, bias = dense.get_weights()
        squares = ((model.predict(X, verbose=0) - Y) ** 2).mean()
        loss = squares + np.abs(X @ kernel + bias).mean()
        assert model.evaluate(X, Y, verbose=0) == pytest.approx(loss, rel=1e-4)
        assert model.fit(X, Y, batch_size=12, verbose=0).history["loss"] == [pytest.approx(loss, rel=1e-4)]


VALUES: dict[str, Any] = {
    "float": 1.5,
    "int": 2,
    "np.float32": np.float32(3),
    "array": np.array([1.0, 2.0], "float32"),
    "tensor": K.constant([5.0, 6.0]),
    "scalar": K.constant(4.0),
    "variable": K.variable(9.0),
    "function": lambda: K.constant(7.0),
    "function of a number": lambda: 8.0,
}


@pytest.mark.parametrize("other", VALUES)
@pytest.mark.parametrize("then", VALUES)
def test_switch_of_all_mixes(then: str, other: str) -> None:
    for condition, holds in ((K.constant(1.0) > 0, True), (K.equal(K.sum(K.variable([1.0])), 0.0), False)):
        chosen = VALUES[then] if holds else VALUES[other]
        expected = chosen() if callable(chosen) and not hasattr(chosen, "shape") else chosen
        computed = K.switch(condition, VALUES[then], VALUES[other])
        assert hasattr(computed, "numpy")
        assert np.array_equal(computed.numpy(), np.broadcast_to(np.asarray(expected), computed.shape))


def _user_layer(call: Callable[..., Any], takes_mask: bool) -> Any:
    class Around(L.Layer):
        supports_masking = True

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.attention, self.rnn = L.MultiHeadAttention(1, 4), L.GRU(3, return_sequences=True)

        if takes_mask:

            def call(self, x: Any, mask: Any = None) -> Any:
                return call(self, x)
        else:

            def call(self, x: Any) -> Any:
                return call(self, x)

    return Around()


@pytest.mark.parametrize("takes_mask", [False, True])
def test_layers_inside_a_users_layer_see_the_mask_of_its_input(takes_mask: bool) -> None:
    keras.set_dialect("tf.keras")
    words, embed = np.array([[3, 1, 0, 0]]), L.Embedding(5, 3, mask_zero=True)

    layer = _user_layer(lambda s, x: s.attention(x, x, return_attention_scores=True)[1], takes_mask)
    inputs = keras.Input((4,), dtype="int64")
    for scores in (layer(embed(words)), keras.Model(inputs, layer(embed(inputs)))(words)):
        rows = scores.detach().numpy()[0, 0]
        assert (rows[:2, 2:] == 0).all()  # padding is not attended to
        np.testing.assert_allclose(rows[2:], 0.25, rtol=1e-6)  # a query that is padding attends to everything

    layer = _user_layer(lambda s, x: s.rnn(x), takes_mask)
    walked = layer(embed(words)).detach().numpy()[0]
    np.testing.assert_array_equal(walked[3], walked[1])  # masked steps repeat the last valid one


def test_a_users_layer_that_gives_its_input_gives_its_mask() -> None:
    class Same(L.Layer):
        def call(self, x: Any) -> Any:
            return x

    words = np.array([[3, 1, 0, 0]])
    with pytest.raises(TypeError, match="does not support masks"):  # classic Keras asks the layer
        Same()(L.Embedding(5, 3, mask_zero=True)(words))
    keras.set_dialect("tf.keras")
    assert Same()(L.Embedding(5, 3, mask_zero=True)(words))._keras_mask.tolist() == [[True, True, False, False]]
