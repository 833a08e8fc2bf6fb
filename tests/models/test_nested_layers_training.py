"""Layers and models inside others: every weight trains, whatever the names; every penalty and mask counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers

RNG = np.random.RandomState(8)
X, Y = RNG.randn(12, 5).astype("float32"), RNG.randn(12, 2).astype("float32")
STEP = keras.optimizers.SGD


def changed(model: Any) -> list[bool]:
    """Train for two steps and say of each weight whether it moved."""
    model.compile(STEP(0.1), "mse")
    before = model.get_weights()
    for _ in range(2):  # a first kernel may stand still for a step behind a last one of zeros
        model.train_on_batch(X, Y)
    return [bool(np.abs(one - other).max() > 1e-6) for one, other in zip(before, model.get_weights())]


def _twins_in_a_layer() -> Any:
    class Twins(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.one, self.two = layers.Dense(4, name="d"), layers.Dense(2, name="d")

        def call(self, inputs: Any) -> Any:
            return self.two(self.one(inputs))

    return keras.Sequential([Twins(input_shape=(5,))])


def _twins_in_two_models() -> Any:
    a = keras.Sequential([layers.Dense(4, name="d")], name="a")
    return keras.Sequential([a, keras.Sequential([layers.Dense(2, name="d")], name="b")])


def _twins_in_two_graphs() -> Any:
    def inner(name: str, units: int, width: int) -> Any:
        z = keras.Input((width,))
        return keras.Model(z, layers.Dense(units, name="d")(z), name=name)

    x = keras.Input((5,))
    return keras.Model(x, inner("b", 2, 4)(inner("a", 4, 5)(x)))


def _twins_in_a_subclass() -> Any:
    class Twins(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.many = [layers.Dense(4, name="d"), layers.Dense(4, name="d"), layers.Dense(2, name="d")]

        def call(self, inputs: Any) -> Any:
            h = inputs
            for layer in self.many:
                h = layer(h)
            return h

    model = Twins()
    model.build((None, 5))
    return model


TWINS = [_twins_in_a_layer, _twins_in_two_models, _twins_in_two_graphs, _twins_in_a_subclass]


@pytest.mark.parametrize("build", TWINS)
def test_layers_of_one_name_all_train(build: Any) -> None:
    model = build()
    model.build((None, 5))
    moved = changed(model)
    assert len(moved) in (4, 6)
    assert all(moved)


@pytest.mark.parametrize("build", TWINS)
def test_layers_of_one_name_have_paths_of_their_own(build: Any) -> None:
    model = build()
    model.build((None, 5))
    assert len(dict(model.named_parameters())) == len(model.get_weights())
    assert len(model.state_dict()) == len(model.get_weights())


def test_a_wrapper_passes_the_penalty_on() -> None:
    """The activity of a layer inside: 10 times the sum of squares, averaged over the batch."""
    keras.set_dialect("keras-2.15")

    class Wrapper(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = layers.Dense(2, activity_regularizer=keras.regularizers.l2(10.0))

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    keras.set_dialect("keras-2.15")
    model = keras.Sequential([Wrapper(input_shape=(5,))])
    model.compile("sgd", "mse")
    y = model.predict(X, verbose=0)
    wanted = ((y - Y) ** 2).mean() + 10.0 * (y**2).sum() / len(X)
    np.testing.assert_allclose(model.evaluate(X, Y, batch_size=12, verbose=0), wanted, rtol=1e-5)


def test_a_layer_that_mixes_rows_is_never_run_on_joined_batches() -> None:
    """`predict` may join batches only where rows do not depend on each other; a wrapper hides nothing."""

    class Wrapper(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inner = layers.Lambda(lambda h: h - keras.backend.mean(h, axis=0, keepdims=True))

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    x = keras.Input((5,))
    model = keras.Model(x, Wrapper()(x))
    wanted = np.concatenate([X[i : i + 4] - X[i : i + 4].mean(0) for i in (0, 4, 8)])
    np.testing.assert_allclose(model.predict(X, batch_size=4, verbose=0), wanted, rtol=1e-5, atol=1e-6)


def test_a_frozen_model_inside_stays_and_the_rest_trains() -> None:
    base = keras.Sequential([layers.Dense(4, input_shape=(5,)), layers.BatchNormalization()], name="base")
    base.trainable = False
    x = keras.Input((5,))
    model = keras.Model(x, layers.Dense(2)(base(x)))
    moved = changed(model)
    assert moved == [False, False, False, False, False, False, True, True] or moved == [True, True] + [False] * 6
    assert len(model.trainable_weights) == 2
    base.trainable = True
    assert sum(changed(model)) >= 7  # the bias before the normalisation has no gradient


def test_a_layer_put_into_a_list_later_is_a_layer_too() -> None:
    class Growing(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.blocks: list[Any] = []
            for _ in range(3):
                self.blocks.append(layers.Dense(2))

        def call(self, inputs: Any) -> Any:
            return sum(block(inputs) for block in self.blocks)

    model = Growing()
    model(X)
    assert len(model.get_weights()) == 6
    assert all(changed(model))
