"""Variables and layers that a subclass of a model holds itself: tracked, trained, and in the order of Keras 2.15.

The shapes and losses stand as Keras 2.15 gave them for the same classes, whose layers begin with kernels of ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import torchkeras_compat
from torchkeras_compat import compat

X = np.random.RandomState(1).randn(8, 4).astype("float32")
Y = np.random.RandomState(2).randn(8, 1).astype("float32")


@pytest.fixture(autouse=True)
def tf() -> Iterator[Any]:
    compat.install("tf.keras")
    import tensorflow

    yield tensorflow
    compat.uninstall()


def _dense(tf: Any, **options: Any) -> Any:
    return tf.keras.layers.Dense(1, kernel_initializer="ones", **options)


def _shapes(model: Any) -> list[tuple[int, ...]]:
    return [w.shape for w in model.get_weights()]


def _losses(model: Any) -> list[float]:
    model.compile("sgd", "mse")
    losses: list[float] = model.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0).history["loss"]
    return losses


def _trained_by(tf: Any, base: Any, hold: Any, out: Any) -> Any:
    """Return a class between tensors that holds what `hold` gives it, and whose own step trains what `out` makes."""

    class Mine(base):  # type: ignore[misc]
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            hold(self)

        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compiled_loss(y, out(self, self(x, training=True)))
            gradients = tape.gradient(loss, self.trainable_variables)
            pairs = zip(gradients, self.trainable_variables)
            self.optimizer.apply_gradients([(g, v) for g, v in pairs if g is not None])
            return {m.name: m.result() for m in self.metrics}

    if base is tf.keras.Sequential:
        return Mine([_dense(tf, input_shape=(4,))])
    inputs = tf.keras.layers.Input((4,))
    return Mine(inputs, _dense(tf)(inputs))


def test_attributes_come_behind_the_layers(tf: Any) -> None:
    def hold(model: Any) -> None:
        model.v, model.count = tf.Variable(2.0), tf.Variable(0, trainable=False)

    model = _trained_by(tf, tf.keras.Model, hold, lambda model, y: y * model.v)
    np.testing.assert_allclose(_losses(model), [3.8202, 3.1644], atol=1e-4)
    assert _shapes(model) == [(4, 1), (1,), (), ()]
    assert (len(model.trainable_variables), len(model.non_trainable_variables)) == (3, 1)


def test_lists_and_dictionaries(tf: Any) -> None:
    def hold(model: Any) -> None:
        model.sums = [tf.Variable(tf.ones_like(v) * 2, trainable=False) for v in model.trainable_variables]
        model.factors = {"a": tf.Variable([1.0, 2.0])}

    model = _trained_by(tf, tf.keras.Model, hold, lambda model, y: y * model.factors["a"][1])
    np.testing.assert_allclose(_losses(model), [3.8202, 3.1644], atol=1e-4)
    assert _shapes(model) == [(4, 1), (1,), (4, 1), (1,), (2,)]
    assert (len(model.trainable_variables), len(model.non_trainable_variables)) == (3, 2)
    assert model.count_params() == 12


def test_a_list_that_grows(tf: Any) -> None:
    def hold(model: Any) -> None:
        model.offsets = []
        for i in range(3):
            model.offsets.append(tf.Variable([float(i)]))

    model = _trained_by(tf, tf.keras.Model, hold, lambda model, y: y + model.offsets[0] + model.offsets[1])
    np.testing.assert_allclose(_losses(model), [3.4857, 3.1531], atol=1e-4)
    assert _shapes(model) == [(4, 1), (1,), (1,), (1,), (1,)]
    model.offsets.append(tf.Variable([1.0, 2.0]))
    assert _shapes(model)[-1] == (2,)


def test_layers_beside_the_graph(tf: Any) -> None:
    def hold(model: Any) -> None:
        model.extra, model.more = _dense(tf), [_dense(tf)]

    model = _trained_by(tf, tf.keras.Model, hold, lambda model, y: model.more[0](model.extra(y)))
    np.testing.assert_allclose(_losses(model), [2.1588, 2.0614], atol=1e-4)
    assert _shapes(model) == [(4, 1), (1,), (1, 1), (1,), (1, 1), (1,)]
    assert len(model.trainable_variables) == 6
    assert [layer.name.partition("_")[0] for layer in model.layers] == ["input", "dense", "dense", "dense"]


def test_a_sequential_has_its_stack_and_its_variables(tf: Any) -> None:
    def hold(model: Any) -> None:
        model.v, model.vs, model.extra = tf.Variable(2.0), [tf.Variable([1.0])], _dense(tf)

    model = _trained_by(tf, tf.keras.Sequential, hold, lambda model, y: model.extra(y * model.v) * model.vs[0])
    np.testing.assert_allclose(_losses(model), [3.7438, 2.8864], atol=1e-4)
    assert [len(shape) for shape in _shapes(model)] == [2, 1, 0, 1]
    assert len(model.trainable_variables) == 4  # the extra layer stays as it is, in Keras too


@pytest.mark.parametrize("dtype", ["int32", "int64", "float64", "bool"])
def test_data_do_not_take_the_type_of_a_variable(tf: Any, dtype: str) -> None:
    """A counter that stood first had made whole numbers of the data."""

    class Counted(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.calls = tf.Variable(0, trainable=False, dtype=dtype)
            self.dense = _dense(tf)

        def call(self, inputs: Any) -> Any:
            assert inputs.dtype == tf.float32
            return self.dense(inputs)

    model = Counted()
    np.testing.assert_allclose(_losses(model), [2.1586, 2.1117], atol=1e-4)
    assert _shapes(model) == [(4, 1), (1,), ()]
    assert model.predict(X, verbose=0).dtype == np.float32


def test_variables_in_lists_stand_where_layers_in_lists_would(tf: Any) -> None:
    class Mixed(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.own = tf.Variable([1.0, 2.0, 3.0])
            self.scales = [tf.Variable([1.0, 2.0])]
            self.dense = _dense(tf)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs) * self.scales[0][0] + self.own[0]

    model = Mixed()
    model(X)
    assert _shapes(model) == [(2,), (4, 1), (1,), (3,)]
    assert [tuple(v.shape) for v in model.trainable_variables] == [(2,), (4, 1), (1,), (3,)]


def test_a_layer_counts_its_own_first(tf: Any) -> None:
    class Scaled(tf.keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.scales = [tf.Variable([1.0, 2.0])]
            self.dense = tf.keras.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs) * self.scales[0][1]

    layer = Scaled()
    layer(X)
    assert _shapes(layer) == [(2,), (4, 1), (1,)]
    layer.more = [tf.Variable([1.0])]
    assert _shapes(layer) == [(2,), (1,), (4, 1), (1,)]
    assert len(layer.trainable_variables) == 4


def test_weights_of_such_a_model_go_through_files(tf: Any, tmp_path: Any) -> None:
    def hold(model: Any) -> None:
        model.v, model.vs, model.extra = tf.Variable(2.0), [tf.Variable([1.0])], _dense(tf)
        model.extra.build((None, 1))

    one, other = (_trained_by(tf, tf.keras.Model, hold, lambda model, y: model.extra(y * model.v)) for _ in range(2))
    _losses(one)
    one.save_weights(str(tmp_path / "w.h5"))
    other.load_weights(str(tmp_path / "w.h5"))
    for a, b in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_classic_models_count_their_own_first() -> None:
    torchkeras_compat.set_dialect("keras-2.3")

    class Mine(torchkeras_compat.models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.v = torchkeras_compat.backend.variable([1.0, 2.0])
            self.dense = torchkeras_compat.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs) * self.v[0]

    model = Mine()
    model.predict(X)
    assert _shapes(model) == [(2,), (4, 1), (1,)]


def test_names_say_where_a_variable_was_made(tf: Any) -> None:
    # The names are those of Keras 2.15.0: no layer is being built while an `__init__` runs.
    class Scale(tf.keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="scale")
            self.v, self.w = tf.Variable(1.0, name="v"), tf.Variable(2.0)

        def build(self, input_shape: Any) -> None:
            self.z = tf.Variable(2.0, name="z")
            self.k = self.add_weight(name="k", shape=(1,))

        def call(self, x: Any) -> Any:
            return x * self.v * self.w * self.z * self.k

    class Mine(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="mine")
            self.v, self.scale = tf.Variable(1.0, name="v"), Scale()

        def call(self, x: Any) -> Any:
            return self.scale(x) * self.v

    model = Mine()
    model(X)
    names = ["v:0", "Variable:0", "mine/scale/z:0", "mine/scale/k:0"]
    assert sorted(w.name for w in model.weights) == sorted(["v:0", *names])
    chain = tf.keras.Sequential([tf.keras.Input((4,)), Scale()])
    assert [w.name for w in chain.weights] == ["v:0", "Variable:0", "scale/z:0", "scale/k:0"]
    assert [tf.Variable(0.0).name, tf.Variable(0.0, name="count").name] == ["Variable:0", "count:0"]


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5", ""])
def test_weights_of_one_name_are_saved(tf: Any, tmp_path: Any, suffix: str) -> None:
    def hold(model: Any) -> None:
        model.a, model.b = tf.Variable(2.0), tf.Variable([3.0])

    def out(model: Any, y: Any) -> Any:
        return y * model.a + model.b

    models = [_trained_by(tf, tf.keras.Model, hold, out) for _ in range(2)]
    _losses(models[0])
    models[0].save_weights(tmp_path / f"w{suffix}")
    models[1].load_weights(tmp_path / f"w{suffix}")
    for ours, theirs in zip(models[0].get_weights(), models[1].get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_names_of_add_weight_say_where_it_was_called(tf: Any) -> None:
    # The names are those of Keras 2.15.0.
    class Linear(tf.keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.scale = self.add_weight(name="scale", shape=())

        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(4, 2), initializer="random_normal")
            self.b = self.add_weight(shape=(2,), initializer="zeros", name="b")

        def call(self, x: Any) -> Any:
            return (tf.matmul(x, self.w) + self.b) * self.scale

    class Twice(tf.keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first = Linear()

        def call(self, x: Any) -> Any:
            return self.first(x)

    layer, alone = Twice(), Linear()
    layer(X)
    assert [w.name for w in layer.weights] == ["scale:0", "twice/linear/Variable:0", "twice/linear/b:0"]
    alone.build((None, 4))
    assert [w.name for w in alone.weights] == ["scale:0", "Variable:0", "b:0"]
    chain = tf.keras.Sequential([tf.keras.Input((4,)), Linear()])
    assert [w.name for w in chain.weights] == ["scale:0", "linear_2/Variable:0", "linear_2/b:0"]
