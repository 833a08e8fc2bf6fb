"""Layers that a user's class replaces, deletes, or changes in its lists after it was built, as Keras 2.15 has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from torchkeras_compat import compat

X = np.random.RandomState(1).randn(6, 4).astype("float32")


@pytest.fixture(autouse=True)
def tf() -> Iterator[Any]:
    compat.install("tf.keras")
    import tensorflow

    yield tensorflow
    compat.uninstall()


def _stack(tf: Any) -> Any:
    class Stack(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="m")
            self.blocks = [tf.keras.layers.Dense(4, name=f"b{i}") for i in range(2)]

        def call(self, inputs: Any) -> Any:
            for block in self.blocks:
                inputs = block(inputs)
            return inputs

    model = Stack()
    model(X)
    return model


def _names(layers: Any) -> list[str]:
    return [layer.name for layer in layers]


def _owners(model: Any) -> list[str]:
    return [w.name.split("/")[-2] for w in model.weights[::2]]


def test_lists_are_followed(tf: Any) -> None:
    def dense(name: str) -> Any:
        return tf.keras.layers.Dense(4, name=name)

    model = _stack(tf)
    model.blocks[0] = dense("new")
    assert _names(model.layers) == ["new", "b1"]
    model(X)
    assert _owners(model) == ["new", "b1"]
    model.blocks.extend([dense("e")])
    model(X)
    assert _names(model.layers) == _owners(model) == ["new", "b1", "e"]
    model.blocks.insert(0, dense("i"))
    model(X)
    assert _names(model.layers) == _owners(model) == ["i", "new", "b1", "e"]
    model.blocks.pop()
    del model.blocks[1]
    assert _names(model.layers) == _owners(model) == ["i", "b1"]
    model.blocks += [dense("a")]
    model(X)
    assert _names(model._flatten_layers()) == ["m", "i", "b1", "a"]
    assert len(model.get_weights()) == 6
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, np.ones((6, 4)), verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights()))


def test_variables_in_lists_are_followed(tf: Any) -> None:
    class Scaled(tf.keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.scales = [tf.Variable([1.0]), tf.Variable([2.0, 3.0])]

        def call(self, inputs: Any) -> Any:
            return inputs * self.scales[0]

    layer = Scaled()
    layer(X)
    layer.scales[1] = tf.Variable([4.0, 5.0, 6.0])
    assert [w.shape for w in layer.get_weights()] == [(1,), (3,)]
    layer.scales.pop()
    assert [w.shape for w in layer.get_weights()] == [(1,)]


def test_a_replaced_head(tf: Any) -> None:
    class Headed(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="m")
            self.body = tf.keras.layers.Dense(5, name="body")
            self.head = tf.keras.layers.Dense(2, name="head")

        def call(self, inputs: Any) -> Any:
            return self.head(self.body(inputs))

    model = Headed()
    for units in (2, 3, 1):
        if units != 2:
            model.head = tf.keras.layers.Dense(units, name=f"head_{units}")
        model.compile("sgd", "mse")
        model.fit(X, np.ones((6, units)), verbose=0)
        assert model.predict(X, verbose=0).shape == (6, units)
    assert [w.name for w in model.weights[2:]] == ["m/head_1/kernel:0", "m/head_1/bias:0"]
    del model.head
    assert _names(model.layers) == ["body"]


def test_a_layer_of_two_attributes_is_listed_once(tf: Any) -> None:
    class Shared(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            shared = tf.keras.layers.Dense(4, name="shared")
            self.first, self.other, self.last = shared, tf.keras.layers.Dense(4, name="other"), shared
            self.all = [shared, self.other]

        def call(self, inputs: Any) -> Any:
            return self.last(self.other(self.first(inputs)))

    model = Shared()
    model(X)
    assert _names(model.layers) == ["shared", "other"]
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert sum("shared (Dense)" in line for line in "\n".join(lines).splitlines()) == 1


def test_layers_before_the_model_is_built(tf: Any) -> None:
    class Nested(tf.keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="outer")
            self.parts = {"b": [tf.keras.layers.Dense(1, name="x")], "a": (tf.keras.layers.Dense(1, name="y"),)}
            self.inner = tf.keras.Sequential([tf.keras.layers.Dense(1, name="z")], name="inner")

    model = Nested()
    assert _names(model.layers) == ["y", "x", "inner"]
    assert _names(model._flatten_layers()) == ["outer", "y", "x", "inner", "z"]
    assert _names(model._flatten_layers(include_self=False, recursive=False)) == ["y", "x", "inner"]


def test_submodules_are_layers(tf: Any) -> None:
    inputs = tf.keras.Input((4,), name="i")
    inner = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2, name="deep")], name="inner")
    model = tf.keras.Model(inputs, inner(tf.keras.layers.Dense(3, name="d")(inputs)))
    assert _names(model.submodules)[:3] == ["i", "d", "inner"]
    assert sum(isinstance(part, tf.keras.layers.Dense) for part in model.submodules) == 2
