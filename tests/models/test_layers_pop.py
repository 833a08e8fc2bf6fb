"""`model.layers.pop()` and `model.outputs = […]` of Keras 1 and 2: the model ends at the layer before."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.models import Model, Sequential

CLASSIC = ["keras-1", "keras-2.2", "keras-2.3"]
X = np.random.RandomState(0).randn(4, 6).astype("float32")


def sequential() -> Any:
    return Sequential([L.Dense(5, input_dim=6, activation="tanh"), L.Dense(3), L.Dense(2, name="end")])


def functional() -> Any:
    x = L.Input((6,))
    return Model(x, L.Dense(2, name="end")(L.Dense(3)(L.Dense(5, activation="tanh")(x))))


def branched() -> Any:
    x = L.Input((6,))
    both = L.concatenate([L.Dense(2, activation="tanh")(x), L.Dense(3)(x)], name="both")
    return Model(x, L.Dense(2, name="end")(both))


MAKERS = {"sequential": sequential, "functional": functional, "branched": branched}


def features(model: Any) -> Any:
    """What the layer before the last gives, by numpy."""
    weights = model.get_weights()
    if any(layer.name == "both" for layer in model.layers):
        (a, b), (c, d) = weights[:2], weights[2:4]
        return np.concatenate([np.tanh(X @ a + b), X @ c + d], 1)
    (a, b), (c, d) = weights[:2], weights[2:4]
    return np.tanh(X @ a + b) @ c + d


@pytest.mark.parametrize("dialect", CLASSIC)
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("was_used", [False, True])
def test_the_lines_of_a_feature_extractor(dialect: str, kind: str, was_used: bool) -> None:
    keras.set_dialect(dialect)
    model = MAKERS[kind]()
    if was_used:
        model.compile("sgd", "mse")
        model.fit(X, np.zeros((4, 2)), verbose=0)
        model.predict(X)
    expected, weights = features(model), model.get_weights()
    popped = model.layers.pop()
    model.outputs = [model.layers[-1].output]
    model.layers[-1].outbound_nodes = []
    assert popped.name == "end"
    assert "end" not in [layer.name for layer in model.layers]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)
    assert model.output_shape == (None, expected.shape[1])
    assert len(model.get_weights()) == len(weights) - 2
    assert model.count_params() == sum(w.size for w in weights[:-2])
    assert "end" not in [module for module, _ in model.named_modules()]
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert "end" not in "\n".join(lines)
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(X), expected, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    model.fit(X, np.zeros(expected.shape), verbose=0)
    assert not np.allclose(model.predict(X), expected)


@pytest.mark.parametrize("dialect", CLASSIC)
@pytest.mark.parametrize("kind", MAKERS)
def test_pop_alone_and_a_new_end(dialect: str, kind: str) -> None:
    """`vgg.layers.pop()`, then a new model behind what is the last layer now."""
    keras.set_dialect(dialect)
    model = MAKERS[kind]()
    expected = features(model)
    model.layers.pop()
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)
    longer = Model(model.input, L.Lambda(lambda x: 2 * x)(model.layers[-1].output))
    np.testing.assert_allclose(longer.predict(X), 2 * expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_outputs_alone(kind: str) -> None:
    model = MAKERS[kind]()
    expected = features(model)
    model.outputs = [model.layers[-2].output]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)
    assert model.layers[-1].name != "end"
    with pytest.raises(ValueError, match="outputs"):
        model.outputs = [L.Input((3,)) if kind == "sequential" else L.Dense(2)(L.Input((3,), name="outputs"))]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)


def test_other_ways_of_taking_the_end_off() -> None:
    for take in (
        lambda m: m.layers.pop(-1),
        lambda m: m.layers.pop(2),
        lambda m: m.layers.remove(m.layers[-1]),
        lambda m: m.layers.__delitem__(-1),
        lambda m: m.layers.__delitem__(slice(-1, None)),
    ):
        model = sequential()
        take(model)
        assert model.output_shape == (None, 3)
    model = functional()
    del model.layers[-2:]
    assert model.output_shape == (None, 5)
    layers = model.layers
    layers.pop(0)  # the input layer: nothing of the model's end
    layers.reverse()
    assert len(model.layers) == 2
    assert type(pickle.loads(pickle.dumps(layers))) is list
    assert len(copy.copy(model.layers)) == 2


def test_an_end_that_is_no_row_is_refused() -> None:
    x = L.Input((6,))
    model = Model(x, L.add([L.Dense(3)(x), L.Dense(3)(x)]))
    with pytest.raises(ValueError, match=r"write Model\(model\.inputs, model\.get_layer\(name\)\.output\)"):
        model.layers.pop()
    assert len(model.layers) == 4
    two = Model(x, [L.Dense(1)(x), L.Dense(2)(x)])
    with pytest.raises(ValueError, match="is not the one end of a row of layers"):
        two.layers.pop()
    two.outputs = two.outputs[:1]
    assert two.predict(X).shape == (4, 1)
    assert len(two.layers) == 2


@pytest.mark.parametrize("dialect", ["tf.keras", "keras-2.15"])
def test_later_keras_has_a_copy(dialect: str) -> None:
    keras.set_dialect(dialect)
    for make in (sequential, functional):
        model = make()
        assert model.layers.pop().name == "end"
        assert model.output_shape == (None, 2)
        assert type(model.layers) is list
