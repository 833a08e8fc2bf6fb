"""Variables that users' layers hold are weights: wherever they are put, they train as numpy says."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers as L

random = np.random.RandomState(0)
X = random.randn(12, 4).astype("float32")
Y = np.eye(3, dtype="float32")[random.randint(3, size=12)]
KERNEL = np.sin(np.arange(12.0)).reshape(4, 3).astype("float32")


def scale() -> Any:
    return K.variable(np.linspace(0.5, 1.5, 4))


def shift() -> Any:
    return K.variable(np.full(4, 0.2))


def _attributes(s: Any) -> None:
    s.w, s.v = scale(), shift()


def _list(s: Any) -> None:
    s.parts = [scale(), shift()]


def _tuple(s: Any) -> None:
    s.parts = (scale(), shift())


def _appended(s: Any) -> None:
    s.parts = []
    s.parts.append(scale())
    s.parts += [shift()]


def _dictionary(s: Any) -> None:
    s.parts = {}
    s.parts["w"] = scale()
    s.parts["v"] = shift()


def _nested(s: Any) -> None:
    s.parts = [[scale()], {"v": (shift(),)}]


def _listed(s: Any) -> None:
    _attributes(s)
    s.trainable_weights = [s.w, s.v]


def _listed_by_adding(s: Any) -> None:
    _attributes(s)
    s.trainable_weights += [s.w, s.v]


def _listed_inside(s: Any) -> None:
    _attributes(s)
    s._trainable_weights.append(s.w)
    s._trainable_weights.extend([s.v])


def _listed_in_two(s: Any) -> None:
    _attributes(s)
    s.trainable_weights = [s.w]
    s.trainable_weights = [s.w, s.v]


def _added(s: Any) -> None:
    s.w = s.add_weight(name="w", shape=(4,), initializer=lambda shape, dtype=None: np.linspace(0.5, 1.5, 4))
    s.v = s.add_weight((4,), initializer=keras.initializers.Constant(0.2), name="v")


def _mixed(s: Any) -> None:
    s.w = s.add_weight("w", (4,), np.float32, lambda shape, dtype=None: np.linspace(0.5, 1.5, 4))
    s.v = shift()


def _assigned_again(s: Any) -> None:
    s.w = K.variable(np.zeros(4))
    _attributes(s)


def _parameter(s: Any) -> None:
    s.w = nn.Parameter(torch.linspace(0.5, 1.5, 4))
    s.parts = [shift()]


HELD: dict[str, tuple[Callable[[Any], None], Callable[[Any], tuple[Any, Any]]]] = {
    "attributes": (_attributes, lambda s: (s.w, s.v)),
    "list": (_list, lambda s: tuple(s.parts)),
    "tuple": (_tuple, lambda s: s.parts),
    "appended": (_appended, lambda s: tuple(s.parts)),
    "dictionary": (_dictionary, lambda s: (s.parts["w"], s.parts["v"])),
    "nested": (_nested, lambda s: (s.parts[0][0], s.parts[1]["v"][0])),
    "trainable_weights =": (_listed, lambda s: (s.w, s.v)),
    "trainable_weights +=": (_listed_by_adding, lambda s: (s.w, s.v)),
    "_trainable_weights": (_listed_inside, lambda s: (s.w, s.v)),
    "trainable_weights = twice": (_listed_in_two, lambda s: (s.w, s.v)),
    "add_weight": (_added, lambda s: (s.w, s.v)),
    "mixed": (_mixed, lambda s: (s.w, s.v)),
    "assigned again": (_assigned_again, lambda s: (s.w, s.v)),
    "nn.Parameter": (_parameter, lambda s: (s.w, s.parts[0])),
}


def model_of(kind: str, where: str, **options: Any) -> Any:
    make, parts = HELD[kind]

    class Affine(L.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            if where == "__init__":
                make(self)

        def build(self, input_shape: Any) -> None:
            if where == "build":
                make(self)
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            if where == "call" and not hasattr(self, "made"):
                make(self)
                self.made = True
            w, v = parts(self)
            return x * w + v

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    model = keras.Sequential([Affine(input_shape=(4,)), L.Dense(3, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.1), "mse", **options)
    model.layers[1].set_weights([KERNEL])
    return model


def trained(steps: int) -> list[np.ndarray[Any, Any]]:
    """Return scale, shift and kernel after gradient descent on the mean squared error."""
    w, v, kernel = np.linspace(0.5, 1.5, 4), np.full(4, 0.2), KERNEL.astype("float64")
    for _ in range(steps):
        hidden = X * w + v
        error = 2 * (hidden @ kernel - Y) / Y.size
        back = error @ kernel.T
        w, v, kernel = w - 0.1 * (back * X).sum(0), v - 0.1 * back.sum(0), kernel - 0.1 * hidden.T @ error
    return [w, v, kernel]


@pytest.mark.parametrize("where", ["__init__", "build", "call"])
@pytest.mark.parametrize("kind", HELD)
def test_variables_train_count_and_are_copied(kind: str, where: str, tmp_path: Path) -> None:
    model = model_of(kind, where)
    model.predict(X, verbose=0)
    assert len(model.trainable_weights) == 3
    assert model.count_params() == 20
    model.fit(X, Y, epochs=3, batch_size=12, verbose=0)
    values = sorted(model.get_weights()[:2], key=lambda w: float(w[0])), trained(3)
    np.testing.assert_allclose(values[0], sorted(values[1][:2], key=lambda w: float(w[0])), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.get_weights()[2], values[1][2], rtol=1e-4, atol=1e-6)

    predicted = model.predict(X, verbose=0)
    model.save_weights(str(tmp_path / "weights.h5"))
    loaded, stated, cloned = model_of(kind, where), model_of(kind, where), keras.models.clone_model(model)
    loaded.load_weights(str(tmp_path / "weights.h5"))
    stated.load_state_dict(model.state_dict())
    cloned.set_weights(model.get_weights())
    copied = copy.deepcopy(model)
    for other in (loaded, stated, cloned, copied):
        np.testing.assert_allclose(other.predict(X, verbose=0), predicted, rtol=1e-6)
    copied.fit(X, Y, verbose=0)
    assert np.array_equal(model.predict(X, verbose=0), predicted)
    assert not np.allclose(copied.predict(X, verbose=0), predicted)
    model.double()
    np.testing.assert_allclose(model.predict(X, verbose=0), predicted, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:compile.jit_compile")
@pytest.mark.parametrize("kind", HELD)
def test_they_train_in_compiled_steps(kind: str, uncompiled: None) -> None:
    model = model_of(kind, "build", jit_compile=True)
    model.fit(X, Y, epochs=3, batch_size=12, verbose=0)
    np.testing.assert_allclose(model.get_weights()[2], trained(3)[2], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adagrad", "adadelta", "adam", "adamax", "nadam", "torch"])
def test_each_optimizer_moves_them(optimizer: str) -> None:
    model = model_of("nested", "build")
    made = torch.optim.AdamW(model.parameters(), lr=0.1) if optimizer == "torch" else optimizer
    model.compile(made, "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    assert not any(map(np.array_equal, before, model.get_weights()))


def test_what_is_listed_as_not_trainable_stays() -> None:
    def listing(s: Any) -> None:
        _attributes(s)
        s.non_trainable_weights = [s.v]

    HELD["non_trainable_weights ="] = (listing, lambda s: (s.w, s.v))
    try:
        model = model_of("non_trainable_weights =", "build")
    finally:
        del HELD["non_trainable_weights ="]
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (2, 1)
    model.fit(X, Y, verbose=0)
    np.testing.assert_allclose(K.get_value(model.layers[0].v), 0.2, rtol=1e-6)


def test_a_variable_of_two_layers_is_one_weight() -> None:
    v = K.variable(np.ones(4))

    class Times(L.Layer):
        def __init__(self, v: Any, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.v = v

        def call(self, x: Any) -> Any:
            return x * self.v

    model = keras.Sequential([Times(v, input_shape=(4,)), Times(v), L.Dense(3, use_bias=False)])
    model.compile("sgd", "mse")
    assert (len(model.get_weights()), model.count_params()) == (2, 16)
    model.fit(X, Y, verbose=0)
    assert not np.allclose(K.get_value(v), 1)
    K.set_value(v, np.full(4, 2.0))
    np.testing.assert_allclose(model.predict(X, verbose=0), 4 * X @ model.get_weights()[1], rtol=1e-5)
    copied = copy.deepcopy(model)
    copied.fit(X, Y, verbose=0)
    assert np.array_equal(copied.layers[0].get_weights()[0], copied.layers[1].get_weights()[0])
    assert np.array_equal(K.get_value(v), np.full(4, 2.0))


def test_a_weight_that_call_replaces_has_its_value_again() -> None:
    class Normed(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(name="kernel", shape=(4, 3), initializer="ones")
            self.gain = K.variable(np.ones(3))
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            self.kernel = self.kernel / K.sum(self.kernel)
            self.kernel *= 2
            self.gain += 1.0
            return K.dot(x, self.kernel) * self.gain

    class Doubled(L.Dense):
        def call(self, inputs: Any) -> Any:
            self.kernel = self.kernel * 2
            return super().call(inputs)

    model = keras.Sequential([Normed(input_shape=(4,))])
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=3, verbose=0)
    kernel, gain = model.get_weights()
    for _ in range(2):
        np.testing.assert_allclose(
            model.predict(X, verbose=0), X @ (kernel / kernel.sum() * 2) * (gain + 1), rtol=1e-4, atol=1e-6
        )
    dense = keras.Sequential([Doubled(3, input_shape=(4,), use_bias=False)])
    dense.compile(keras.optimizers.SGD(0.1), "mse")
    (before,) = dense.get_weights()
    dense.fit(X, Y, batch_size=12, verbose=0)
    gradient = 2 * X.T @ (2 * (X @ before * 2 - Y) / Y.size)
    np.testing.assert_allclose(dense.get_weights()[0], before - 0.1 * gradient, rtol=1e-4, atol=1e-6)


def test_a_kernel_that_build_replaces_is_an_expression_of_the_weight() -> None:
    mask = np.tril(np.ones((4, 3), "float32"))

    class Masked(L.Dense):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.kernel = self.kernel * mask

    class OwnMasked(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(name="kernel", shape=(4, 3))
            self.kernel = self.kernel * mask
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            return K.dot(x, self.kernel)

    for layer in (Masked(3, use_bias=False, input_shape=(4,)), OwnMasked(input_shape=(4,))):
        model = keras.Sequential([layer])
        model.compile("sgd", "mse")
        (before,) = model.get_weights()
        model.fit(X, Y, epochs=2, verbose=0)
        (kernel,) = model.get_weights()
        assert np.array_equal(kernel == before, mask == 0)
        np.testing.assert_allclose(model.predict(X, verbose=0), X @ (kernel * mask), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model(X).numpy(), X @ (kernel * mask), rtol=1e-5, atol=1e-6)


def test_what_a_call_updates_is_untouched_by_building() -> None:
    class Counting(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.mean = self.add_weight(name="mean", shape=(4,), initializer="zeros", trainable=False)
            self.count = K.variable(0.0)
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            K.update(self.mean, self.mean * 0.9 + 1.0)
            self.count.assign_add(1.0)
            return x - self.mean

    model = keras.Sequential([Counting(input_shape=(4,))])
    assert all((w == 0).all() for w in model.get_weights())


def test_layers_of_one_name_inside_others_train_and_load(tmp_path: Path) -> None:
    class Inner(L.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.v = [K.variable(np.ones(4))]

        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(name="w", shape=(int(input_shape[-1]),), initializer="ones")
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            return x * self.w * self.v[0]

    class Outer(L.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.a, self.bs = Inner(name="same"), [Inner(name="same"), Inner()]
            self.d, self.g = {"q": L.Dense(4, name="same")}, K.variable(1.0)

        def call(self, x: Any) -> Any:
            for layer in (self.a, *self.bs):
                x = layer(x)
            return self.d["q"](x) * self.g

    def make() -> Any:
        parts = [keras.Sequential([Outer(input_shape=(4,), name="o")], name=f"s{i}") for i in (1, 2)]
        return keras.Sequential([*parts, L.Dense(3)])

    model = make()
    model.compile("sgd", "mse")
    before = model.get_weights()
    # As Keras 2.15 counts and orders them.
    shapes = [(), *[(4,)] * 6, (4, 4), (4,)]
    assert [w.shape for w in before] == [*shapes, *shapes, (4, 3), (3,)]
    model.fit(X, Y, epochs=2, verbose=0)
    assert not any(map(np.array_equal, before, model.get_weights()))
    model.save_weights(str(tmp_path / "w.h5"))
    loaded = make()
    loaded.load_weights(str(tmp_path / "w.h5"))
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def tied(kernel: Any, bias: Any, steps: int) -> tuple[Any, Any]:
    """Return kernel and bias of `tanh(x·W + b)·Wᵀ` after gradient descent towards x."""
    kernel, bias = kernel.astype("float64"), bias.astype("float64")
    for _ in range(steps):
        hidden = np.tanh(X @ kernel + bias)
        error = 2 * (hidden @ kernel.T - X) / X.size
        back = (error @ kernel) * (1 - hidden**2)
        kernel, bias = kernel - 0.1 * (error.T @ hidden + X.T @ back), bias - 0.1 * back.sum(0)
    return kernel, bias


TIES: dict[str, Callable[[Any], Any]] = {
    "K.transpose": lambda d: K.transpose(d.kernel),
    "scaled": lambda d: K.transpose(d.kernel * 2.0) / 2,
    "slices": lambda d: K.concatenate([K.transpose(d.kernel[:2]), K.transpose(d.kernel[2:])], axis=-1),
    "K.dot": lambda d: K.dot(K.eye(3), K.transpose(d.kernel)),
    "T": lambda d: d.kernel.T,
    "torch": lambda d: torch.transpose(d.kernel, 0, 1),
    "permuted": lambda d: K.permute_dimensions(d.weights[0], (1, 0)),
    "nested": lambda d: K.transpose(K.reverse(K.reverse(d.trainable_weights[0], 0), 0)),
}


@pytest.mark.filterwarnings("ignore:compile.jit_compile")
@pytest.mark.parametrize("place", ["Lambda", "build", "list"])
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("tie", TIES)
def test_expressions_of_weights_follow_them(tie: str, place: str, jit: bool, uncompiled: None) -> None:
    dense = L.Dense(3, activation="tanh", input_shape=(4,))

    class Decoder(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.transposed = [TIES[tie](dense)] if place == "list" else TIES[tie](dense)
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            return K.dot(x, self.transposed[0] if place == "list" else self.transposed)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (input_shape[0], 4)

    model = keras.Sequential([dense])
    if place == "Lambda":
        transposed = TIES[tie](dense)
        model.add(L.Lambda(lambda x: K.dot(x, transposed)))
    else:
        model.add(Decoder())
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit)
    kernel, bias = tied(*dense.get_weights(), steps=3)

    def output() -> Any:
        w, b = dense.get_weights()
        return np.tanh(X @ w + b) @ w.T

    model.fit(X, X, epochs=3, batch_size=12, verbose=0)
    np.testing.assert_allclose(dense.get_weights()[0], kernel, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(dense.get_weights()[1], bias, rtol=1e-4, atol=1e-6)
    for change in (lambda: None, lambda: dense.set_weights([np.full((4, 3), 0.3), np.zeros(3)])):
        change()
        for predict in (model.predict_on_batch, model, lambda x: model.predict(x, verbose=0)):
            np.testing.assert_allclose(np.asarray(predict(X)), output(), rtol=1e-4, atol=1e-6)
        assert model.evaluate(X, X, verbose=0) == pytest.approx(((output() - X) ** 2).mean(), rel=1e-4)
    model.train_on_batch(X, X)
    np.testing.assert_allclose(model.predict(X, verbose=0), output(), rtol=1e-4, atol=1e-6)


class Holding(L.Layer):
    """A layer with variables in lists and expressions of them, at the top of a module so that it can be pickled."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts = [K.variable(np.ones(4)), {"shift": K.variable(np.zeros(4))}]

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(name="kernel", shape=(4, 4), initializer="identity")
        self.transposed, self.more = self.kernel.T, [K.square(self.parts[0])]
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        return K.dot(x, self.transposed) * self.more[0] + self.parts[1]["shift"]


def test_copies_of_models_are_tied_within_themselves() -> None:
    model = keras.Sequential([Holding(input_shape=(4,)), L.Dense(3)])
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    predicted = model.predict(X, verbose=0)
    stream = io.BytesIO()
    torch.save(model, stream)
    stream.seek(0)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), torch.load(stream, weights_only=False)):
        np.testing.assert_allclose(copied.predict(X, verbose=0), predicted, rtol=1e-6)
        copied.fit(X, Y, epochs=2, verbose=0)
        assert np.array_equal(model.predict(X, verbose=0), predicted)
        layer, (kernel, bias) = copied.layers[0], copied.layers[1].get_weights()
        hidden = X @ layer.kernel.numpy().T * layer.parts[0].numpy() ** 2 + layer.parts[1]["shift"].numpy()
        np.testing.assert_allclose(copied.predict(X, verbose=0), hidden @ kernel + bias, rtol=1e-4, atol=1e-6)


def test_what_torch_detaches_or_clones_is_a_value() -> None:
    dense = L.Dense(3, input_shape=(4,), use_bias=False)
    model = keras.Sequential([dense])
    start = dense.kernel.detach().clone()
    model.compile(keras.optimizers.SGD(0.5), lambda t, p: K.mean(p, -1) + K.sum(K.square(dense.kernel - start)))
    kept = start.numpy()
    model.fit(X, Y, batch_size=4, verbose=0)
    assert np.array_equal(start.numpy(), kept)
    predicted = model.predict(X, verbose=0)
    loss = predicted.mean() + ((dense.get_weights()[0] - kept) ** 2).sum()
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(loss, rel=1e-4)


@pytest.mark.filterwarnings("ignore:.*trainable was changed")
def test_gan_phases() -> None:
    generator = keras.Sequential([L.Dense(4, activation="relu", input_shape=(4,)), L.Dense(4)])
    judge = keras.Sequential([L.Dense(5, activation="relu", input_shape=(4,)), L.Dense(1, activation="sigmoid")])
    judge.compile("adam", "binary_crossentropy")
    judge.trainable = False
    both = keras.Sequential([generator, judge])
    both.compile("adam", "binary_crossentropy")
    ones = np.ones((12, 1))
    for said in (None, True, None):
        for model, other in ((judge, generator), (both, judge)):
            if said is not None:
                judge.trainable = model is judge
            still, moving = other.get_weights(), model.get_weights()
            model.train_on_batch(X, ones)
            assert all(map(np.array_equal, still, other.get_weights()))
            assert not all(map(np.array_equal, moving, model.get_weights()))


# --- a weight of a layer inside that a call gives another value -------------------------------------------------------


class WeightNorm(keras.layers.Wrapper):  # type: ignore[misc]
    """Salimans & Kingma, 2016, as wrappers of 2018 to 2021 write it: the layer inside computes with another kernel."""

    gives_back = False

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.g = self.add_weight(name="g", shape=(self.layer.kernel.shape[-1],), initializer="ones")
        self.v = self.layer.kernel

    def call(self, inputs: Any) -> Any:
        self.layer.kernel = K.l2_normalize(self.v, axis=0) * self.g
        self.layer.bias = self.layer.bias * 2
        outputs = self.layer(inputs)
        if self.gives_back:
            self.layer.kernel = self.v
        return outputs


@pytest.mark.parametrize("gives_back", [False, True])
def test_a_wrapper_that_normalises_the_kernel_of_its_layer(gives_back: bool) -> None:
    rng = np.random.RandomState(0)
    x, y = rng.randn(6, 4).astype("float32"), rng.randn(6, 2).astype("float32")
    wrapper = WeightNorm(keras.layers.Dense(2, kernel_initializer="glorot_uniform", bias_initializer="ones"))
    wrapper.gives_back = gives_back
    model = keras.Sequential([keras.layers.InputLayer((4,)), wrapper])
    kernel, bias, g = (
        torch.tensor(w, requires_grad=True) for w in (wrapper.v.numpy(), np.ones(2, "f"), np.ones(2, "f"))
    )
    model.compile(keras.optimizers.SGD(1.0), "mse")
    for _ in range(2):  # by hand, in torch: each step begins at the variables and not at what the call computed
        expected = torch.tensor(x) @ (torch.nn.functional.normalize(kernel, dim=0) * g) + 2 * bias
        loss = (expected - torch.tensor(y)).square().mean()
        np.testing.assert_allclose(model.predict(x, verbose=0), expected.detach(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(model.train_on_batch(x, y), loss.item(), rtol=1e-5)
        gradients = torch.autograd.grad(loss, [kernel, bias, g])
        with torch.no_grad():
            for tensor, gradient in zip((kernel, bias, g), gradients):
                tensor -= gradient
    for found, tensor in zip((wrapper.layer.kernel, wrapper.layer.bias, wrapper.g), (kernel, bias, g)):
        np.testing.assert_allclose(found.numpy(), tensor.detach(), rtol=1e-4, atol=1e-6)


def test_outside_a_call_the_value_stays() -> None:
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    layer.kernel = layer.kernel * 0
    np.testing.assert_array_equal(layer.get_weights()[0], np.zeros((3, 2)))
