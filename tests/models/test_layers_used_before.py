"""Layers that were called or adapted before they came into a `Sequential`; the tables are those of Keras 2.15.1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers

SHAPELESS: list[Any] = [
    lambda: layers.Lambda(lambda x: x * 2),
    lambda: layers.Activation("relu"),
    lambda: layers.Dropout(0.5),
    lambda: layers.Rescaling(0.5),
    lambda: layers.GaussianNoise(0.1),
    lambda: layers.LeakyReLU(),
]


def ones(*shape: int) -> Any:
    return np.ones(shape, "float32")


@pytest.mark.parametrize("make", SHAPELESS)
@pytest.mark.parametrize("before", [(3,), (3, 2, 5)])
def test_a_layer_without_weights_follows_any_shape(make: Any, before: tuple[int, ...]) -> None:
    layer = make()
    layer(ones(*before))
    model = keras.Sequential([layers.Dense(1, input_shape=(3,)), layer])
    assert model.output_shape == (None, 1)
    model.compile("sgd", "mse")
    model.fit(ones(4, 3), ones(4, 1), verbose=0)


def test_a_users_layer_does_so_too() -> None:
    class Doubled(layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    layer = Doubled()
    layer(ones(3))
    assert keras.Sequential([layers.Dense(1, input_shape=(3,)), layer]).output_shape == (None, 1)


@pytest.mark.parametrize(
    ("layer", "before", "after"),
    [
        (layers.Dense(2, name="used"), (2, 3, 4), (None, 2)),
        (layers.Reshape((2, 2)), (2, 2, 2), (None, 2, 2)),
        (layers.Flatten(), (2, 2, 2), (None, 4)),
    ],
)
def test_weights_stay_where_they_go_with_the_shape(layer: Any, before: tuple[int, ...], after: Any) -> None:
    layer(ones(*before))
    kept = layer.get_weights()
    model = keras.Sequential([layers.Dense(4, input_shape=(3,)), layer])
    assert model.output_shape == after
    assert model.predict(ones(5, 3), verbose=0).shape == (5, *after[1:])
    assert all((a == b).all() for a, b in zip(kept, layer.get_weights()))


@pytest.mark.parametrize(
    ("layer", "before"),
    [(layers.Dense(2, name="used"), (2, 3, 7)), (layers.BatchNormalization(), (2, 3, 4)), (layers.PReLU(), (2, 3, 4))],
)
def test_weights_of_another_shape_are_an_error(layer: Any, before: tuple[int, ...]) -> None:
    layer(ones(*before))
    with pytest.raises(ValueError, match="cannot follow shape"):
        keras.Sequential([layers.Dense(4, input_shape=(3,)), layer])


def test_pooling_still_asks_for_its_axes() -> None:
    layer = layers.MaxPooling2D()
    layer(ones(2, 4, 4, 3))
    with pytest.raises(ValueError, match="4 axes"):
        keras.Sequential([layers.Dense(4, input_shape=(3,)), layer])


def test_normalization_of_single_numbers_in_two_ranks() -> None:
    data = np.array([1.0, 2.0, 6.0], "float32")
    layer = layers.Normalization(axis=None)
    layer.adapt(data)
    model = keras.Sequential([keras.Input((1,)), layer])
    expected = (data - data.mean()) / data.std()
    np.testing.assert_allclose(model.predict(data[:, None], verbose=0)[:, 0], expected, rtol=1e-6)


def test_the_mean_of_each_feature_is_stretched_over_further_axes_and_never_back() -> None:
    layer = layers.Normalization()
    layer.adapt(np.random.RandomState(0).rand(10, 4))
    assert keras.Sequential([keras.Input((5, 4)), layer]).output_shape == (None, 5, 4)
    deep = layers.Normalization()
    deep.adapt(np.random.RandomState(0).rand(10, 3, 4))
    with pytest.raises(ValueError, match="cannot follow shape"):
        keras.Sequential([keras.Input((4,)), deep])


class TestAdaptedFirst:
    def test_a_model_that_begins_with_an_adapted_layer_is_built(self) -> None:
        layer = layers.Normalization()
        layer.adapt(np.random.RandomState(0).rand(10, 4))
        model = keras.Sequential([layer, layers.Dense(1)])
        lines: list[str] = []
        model.summary(print_fn=lines.append)
        table = [line for line in lines if "(None, " in line]
        assert ["(None, 4)" in table[0], "(None, 1)" in table[1]] == [True, True]
        assert sum("Total params: 14" in line for line in lines) == 1

    def test_it_is_loaded_again(self, tmp_path: Any) -> None:
        layer = layers.Normalization()
        layer.adapt(np.random.RandomState(0).rand(10, 4))
        model = keras.Sequential([layer, layers.Dense(1)])
        model.compile("sgd", "mse")
        for name in ("m.keras", "m.h5"):
            model.save(tmp_path / name)
            again = keras.models.load_model(tmp_path / name)
            np.testing.assert_array_equal(again.predict(ones(2, 4), verbose=0), model.predict(ones(2, 4), verbose=0))

    def test_texts(self) -> None:
        layer = layers.TextVectorization(output_sequence_length=5)
        layer.adapt(np.array(["a b", "c"]))
        model = keras.Sequential([layer, layers.Embedding(5, 3)])
        assert (model.input_shape, model.output_shape) == ((None,), (None, 5, 3))
        assert model.input.dtype == "string"
        assert model.predict(np.array(["a b", "c"]), verbose=0).shape == (2, 5, 3)
        assert keras.Sequential.from_config(model.get_config()).input.dtype == "string"

    def test_a_layer_that_was_only_called_says_no_shape(self) -> None:
        for layer in (layers.Dense(3), layers.Dropout(0.3), layers.BatchNormalization()):
            layer(ones(2, 4))
            assert not keras.Sequential([layer, layers.Dense(1)]).built

    def test_numbers_of_one_axis_leave_the_shape_open(self) -> None:
        layer = layers.Normalization(axis=None)
        layer.adapt(np.arange(4.0))
        model = keras.Sequential([layer, layers.Dense(1)])
        assert tuple(model(ones(3, 1)).shape) == (3, 1)
