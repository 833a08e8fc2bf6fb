"""Keras 1's `Merge` and `merge`: what its sources define, by numpy, and Sequential models of several inputs."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import compat
from torchkeras_compat import layers as L
from torchkeras_compat.models import Model, Sequential

Array = Any


def cosine(a: Array, b: Array) -> Array:
    """Keras 1.2.2: a·b / max(√(a·a b·b), ε), for each sample."""
    return ((a * b).sum(1) / np.maximum(np.sqrt((a * a).sum(1) * (b * b).sum(1)), 1e-7))[:, None]


MODES: dict[str, Callable[[Array, Array], Array]] = {
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "concat": lambda a, b: np.concatenate([a, b], 1),
    "ave": lambda a, b: (a + b) / 2,
    "max": np.maximum,
    "dot": lambda a, b: (a * b).sum(1, keepdims=True),
    "cos": cosine,
}


def branch(features: int, units: int = 4, name: str | None = None) -> Sequential:
    return Sequential([L.Dense(units, input_dim=features, activation="tanh")], name=name)


def inputs(*features: int) -> list[Array]:
    random = np.random.RandomState(1)
    return [random.randn(6, n).astype("float32") for n in features]


@pytest.mark.parametrize("mode", MODES)
def test_a_sequential_begins_with_models(mode: str) -> None:
    left, right = branch(3), branch(2)
    model = Sequential([L.Merge([left, right], mode=mode, concat_axis=1, dot_axes=1)])
    a, b = inputs(3, 2)
    expected = MODES[mode](np.asarray(left(a)), np.asarray(right(b)))
    y = model([a, b])
    np.testing.assert_allclose(np.asarray(y), expected, rtol=1e-5, atol=1e-6)
    assert model.input_shape == [(None, 3), (None, 2)]
    assert model.output_shape == (None, *expected.shape[1:])
    assert model.get_weights()[0].shape == (3, 4)
    assert len(model.trainable_weights) == 4


@pytest.mark.parametrize("mode", MODES)
def test_the_function_merges_tensors(mode: str) -> None:
    a, b = L.Input((4,)), L.Input((4,))
    y = L.merge([a, b], mode=mode, dot_axes=1, concat_axis=1, name="m")
    model = Model([a, b], y)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "InputLayer", "Merge"]
    x = inputs(4, 4)
    np.testing.assert_allclose(np.asarray(model(x)), MODES[mode](*x), rtol=1e-5, atol=1e-6)


def test_zero_vectors_have_no_angle() -> None:
    y = L.Merge(mode="cos", dot_axes=1)([np.zeros((2, 3)), np.ones((2, 3))])
    assert y.tolist() == [[0.0], [0.0]]


def test_products_of_sequences() -> None:
    a, b = np.random.RandomState(2).randn(2, 5, 3, 4).astype("float32")
    y = L.merge([a, b], mode="dot", dot_axes=[2, 2])
    np.testing.assert_allclose(np.asarray(y), np.einsum("bik,bjk->bij", a, b), rtol=1e-5)
    lengths = np.linalg.norm(a, axis=2)[:, :, None] * np.linalg.norm(b, axis=2)[:, None]
    y = L.merge([a, b], mode="cos", dot_axes=2)
    np.testing.assert_allclose(np.asarray(y), np.einsum("bik,bjk->bij", a, b) / lengths, rtol=1e-4)


def test_functions_of_tensors() -> None:
    def scaled(tensors: Any, by: float) -> Any:
        first = tensors[0]
        first *= by
        return first - tensors[1]

    layer = L.Merge(mode=scaled, output_shape=(4,), arguments={"by": 2.0})
    a, b = inputs(4, 4)
    kept = a.copy()
    np.testing.assert_allclose(np.asarray(layer([a, b])), 2 * a - b, rtol=1e-6)
    np.testing.assert_array_equal(a, kept)
    assert layer.compute_output_shape([(None, 4), (None, 4)]) == (None, 4)
    assert not layer._traits.row_wise
    shaped = L.merge([L.Input((3, 4)), L.Input((3, 4))], mode=lambda t: t[0], output_shape=lambda shapes: shapes[0])
    assert tuple(shaped.shape) == (None, 3, 4)


def test_masks_of_functions() -> None:
    masked = L.Masking()(np.array([[[0.0], [1.0]]]))
    again = L.Merge(mode=lambda t: t[0] + t[1], output_mask=lambda masks: masks[0])([masked, np.ones((1, 2, 1))])
    assert again._keras_mask.tolist() == [[False, True]]
    ended = L.Merge(mode=lambda t: t[0] + t[1])([masked, np.ones((1, 2, 1))])
    assert not hasattr(ended, "_keras_mask")


def test_a_sequential_of_several_inputs_trains() -> None:
    left, right = branch(3), branch(2)
    model = Sequential([L.Merge([left, right], mode="concat"), L.Dense(1)])
    a, b = L.Input((3,)), L.Input((2,))
    joined = L.concatenate([L.Dense(4, activation="tanh")(a), L.Dense(4, activation="tanh")(b)])
    graph = Model([a, b], L.Dense(1)(joined))
    graph.set_weights(model.get_weights())
    x, y = inputs(3, 2), np.random.RandomState(2).randn(6, 1).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), graph.predict(x, verbose=0), rtol=1e-6)
    histories = []
    for one in (model, graph):
        one.compile("sgd", "mse", metrics=["mae"])
        history = one.fit(x, y, batch_size=4, epochs=3, shuffle=False, validation_data=(x, y), verbose=0).history
        histories.append(history)
    assert list(histories[0]) == list(histories[1])
    for key, values in histories[1].items():
        assert histories[0][key] == pytest.approx(values, rel=1e-5), key
    assert histories[0]["loss"][-1] < histories[0]["loss"][0]
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), graph.evaluate(x, y, verbose=0), rtol=1e-6)
    named = dict(zip(model.input_names, x))
    np.testing.assert_allclose(model.predict(named, verbose=0), graph.predict(x, verbose=0), rtol=1e-5)
    with pytest.raises(ValueError, match=r"has 2 inputs, 'dense_1_input' of shape \(None, 3\) and .* got one array"):
        model.fit(x[0], y, verbose=0)


def test_merges_in_merges() -> None:
    one, two, three = branch(3), branch(2), branch(7, 5)
    inner = Sequential([L.Merge([one, two], mode="concat"), L.Dense(5)])
    model = Sequential([L.Merge([inner, three], mode="mul"), L.Dense(1)])
    x = inputs(3, 2, 7)
    expected = model.layers[1](np.asarray(inner(x[:2])) * np.asarray(three(x[2])))
    np.testing.assert_allclose(np.asarray(model(x)), np.asarray(expected), rtol=1e-5)
    assert model.input_shape == [(None, 3), (None, 2), (None, 7)]
    assert model.input_names == [*one.input_names, *two.input_names, *three.input_names]
    assert model.count_params() == one.count_params() + two.count_params() + three.count_params() + 45 + 6


def test_a_model_that_stands_twice_is_fed_once() -> None:
    tower = branch(3)
    model = Sequential([L.Merge([tower, tower], mode="sum")])
    (x,) = inputs(3)
    assert model.input_shape == (None, 3)
    np.testing.assert_allclose(np.asarray(model(x)), 2 * np.asarray(tower(x)), rtol=1e-6)
    assert len(model.weights) == 2


def shared_branch() -> tuple[Sequential, list[Sequential]]:
    left, right = branch(3, name="left"), branch(3, name="right")
    both = Sequential([L.Merge([left, right], mode="sum")], name="both")
    return Sequential([L.Merge([both, right], mode="concat", concat_axis=1), L.Dense(1)]), [left, right, both]


def test_a_model_in_a_merge_and_beside_it_is_fed_once() -> None:
    """Keras 1.2.2's `get_source_inputs` leaves out inputs that it has."""
    model, (left, right, both) = shared_branch()
    assert model.input_shape == [(None, 3), (None, 3)]
    assert [symbol.name for symbol in model.inputs] == [left.inputs[0].name, right.inputs[0].name]
    a, b = inputs(3, 3)
    (kernel, bias), of_left, of_right = model.layers[-1].get_weights(), left.predict(a), right.predict(b)
    expected = np.concatenate([of_left + of_right, of_right], 1) @ kernel + bias
    np.testing.assert_allclose(model.predict([a, b]), expected, rtol=1e-5, atol=1e-6)
    assert [w.shape for w in model.get_weights()] == [(3, 4), (4,), (3, 4), (4,), (8, 1), (1,)]
    outer = Model([left.input, right.input], L.Lambda(lambda x: 2 * x)(model.output))
    np.testing.assert_allclose(outer.predict([a, b]), 2 * expected, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    model.fit([a, b], np.ones((6, 1)), epochs=2, verbose=0)
    assert not np.allclose(model.predict([a, b]), expected)
    assert not np.allclose(both.predict([a, b]), of_left + of_right)


@pytest.mark.parametrize("way", ["json", "config", "clone", "copy", "pickle"])
def test_a_model_in_a_merge_and_beside_it_is_made_again_once(way: str) -> None:
    model = shared_branch()[0]
    again = {
        "json": lambda: keras.models.model_from_json(model.to_json()),
        "config": lambda: Sequential.from_config(model.get_config()),
        "clone": lambda: keras.models.clone_model(model),
        "copy": lambda: copy.deepcopy(model),
        "pickle": lambda: pickle.loads(pickle.dumps(model)),
    }[way]()
    assert [w.shape for w in again.get_weights()] == [w.shape for w in model.get_weights()]
    again.set_weights(model.get_weights())
    x = inputs(3, 3)
    np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-6)
    assert again.input_shape == [(None, 3), (None, 3)]


def test_layers_that_no_model_holds_are_fed_once() -> None:
    first, second = L.Dense(4, input_dim=3), L.Dense(4, input_dim=3)
    inner = Sequential([L.Merge([first, second], mode="sum")])
    model = Sequential([L.Merge([inner, second], mode="concat", concat_axis=1)])
    a, b = inputs(3, 3)
    of_a, of_b = np.asarray(first(a)), np.asarray(second(b))
    np.testing.assert_allclose(model.predict([a, b]), np.concatenate([of_a + of_b, of_b], 1), rtol=1e-5, atol=1e-6)


def test_one_output_of_several() -> None:
    a = L.Input((3,))
    both = Model(a, [L.Dense(2)(a), L.Dense(4)(a)])
    model = Sequential([L.Merge([both, branch(2)], mode="sum", tensor_indices=[1, None])])
    x, y = inputs(3, 2)
    expected = np.asarray(both(x)[1]) + np.asarray(model.layers[0].layers[1](y))
    np.testing.assert_allclose(np.asarray(model([x, y])), expected, rtol=1e-5)


def test_masks_of_models_go_on() -> None:
    words = Sequential([L.Embedding(5, 3, input_length=4, mask_zero=True)])
    rest = Sequential([L.Masking(input_shape=(4, 2))])
    model = Sequential([L.Merge([words, rest], mode="concat"), L.LSTM(2)])
    tokens = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
    values = np.random.RandomState(0).randn(2, 4, 2).astype("float32")
    short = values.copy()
    short[0, 2:] = short[1, 3:] = 7  # steps that do not count
    np.testing.assert_array_equal(np.asarray(model([tokens, values])), np.asarray(model([tokens, short])))


@pytest.mark.parametrize("way", ["config", "json", "clone"])
def test_they_are_made_again(way: str) -> None:
    model = Sequential([L.Merge([branch(3), branch(2)], mode="concat"), L.Dense(1)])
    if way == "config":
        again = Sequential.from_config(model.get_config())
    elif way == "json":
        again = keras.models.model_from_json(model.to_json())
    else:
        again = keras.models.clone_model(model)
    again.set_weights(model.get_weights())
    x = inputs(3, 2)
    np.testing.assert_array_equal(np.asarray(again(x)), np.asarray(model(x)))
    assert again.input_shape == model.input_shape


def test_configurations_of_keras_1() -> None:
    written = {"mode": "concat", "mode_type": "raw", "concat_axis": 1, "dot_axes": -1, "name": "merge_1"}
    written |= {"output_shape": None, "output_shape_type": "raw", "output_mask": None, "output_mask_type": "raw"}
    written |= {"arguments": {}, "layers": [{"class_name": "Sequential", "config": branch(3).get_config()}] * 2}
    layer = L.Merge.from_config(json.loads(json.dumps(written)))
    assert layer.compute_output_shape([(None, 3), (None, 3)]) == (None, 8)
    code = {**written, "mode": ["c3R1ZmY=", None, None], "mode_type": "lambda"}
    with pytest.raises(ValueError, match=r"its mode is code in the configuration, which is not run"):
        L.Merge.from_config(code)
    named = {**written, "mode": "mine", "mode_type": "function"}
    found = L.Merge.from_config(named, {"mine": lambda t: t[0]})
    assert callable(found.mode)


def test_errors() -> None:
    with pytest.raises(ValueError, match=r"the input shape of Sequential .* is not known; give its first layer"):
        L.Merge([Sequential([L.Dense(2)]), branch(3)])
    with pytest.raises(TypeError, match="a list of two models or more; of tensors write merge"):
        L.Merge([L.Input((2,)), L.Input((2,))])
    with pytest.raises(ValueError, match=r"node_indices.*has been called 1 times; got 3"):
        L.Merge([branch(3), branch(3)], node_indices=[0, 3])
    with pytest.raises(ValueError, match="must have shapes that fit"):
        Sequential([L.Merge([branch(3, 4), branch(3, 5)], mode="sum")])


def test_the_old_name_is_a_function_and_a_module() -> None:
    compat.install()
    import keras as facade
    from keras.layers import merge
    from keras.layers.merge import add

    a, b = facade.layers.Input((3,)), facade.layers.Input((3,))
    assert tuple(merge([a, b], mode="concat", concat_axis=-1).shape) == (None, 6)
    assert tuple(add([a, b]).shape) == (None, 3)
    with pytest.raises(TypeError, match=r"module 'keras\.layers\.core' is not callable"):
        facade.layers.core(1)
