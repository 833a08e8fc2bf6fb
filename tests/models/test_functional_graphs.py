"""Graphs of layers beyond the golden cases: depth, sharing, spelling, and what a graph is used for."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers
from torchkeras_compat._core.border import KerasSpellingWarning

RNG = np.random.RandomState(6)
X, Z = RNG.randn(12, 5).astype("float32"), RNG.randn(12, 5).astype("float32")
Y = RNG.randn(12, 1).astype("float32")


def siamese() -> Any:
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    tower = keras.Sequential([layers.Dense(4, activation="tanh", input_shape=(5,)), layers.Dense(3)], name="tower")
    model = keras.Model([a, b], layers.Dense(1, name="answer")(layers.subtract([tower(a), tower(b)])))
    model.compile("sgd", "mse")
    return model


CHAINS: dict[str, Any] = {
    "built by the call": lambda chain: None,
    "built before": lambda chain: chain.build((None, 5)),
    "called on numbers": lambda chain: chain(np.zeros((2, 5), "float32")),
}


@pytest.mark.parametrize("dialect", ["keras-2.3", "tf.keras", "keras-2.15"])
@pytest.mark.parametrize("made", CHAINS)
def test_chains_without_a_shape_are_counted_in_graphs(made: str, dialect: str) -> None:
    """Keras 2.15 counts what such a chain is by itself as its first call, and never ends reading a file that does not.

    tf.keras 2.0 and 2.1 did not count it, and what they wrote is read too.
    """
    keras.set_dialect(dialect)
    chain = keras.Sequential([layers.Dense(6), layers.Dense(4)], name="chain")
    CHAINS[made](chain)
    a, b = keras.layers.Input((5,)), keras.layers.Input((5,))
    model = keras.models.Model([a, b], layers.Add(name="sum")([chain(a), chain(b)]))
    config = model.get_config()
    total = next(entry for entry in config["layers"] if entry["name"] == "sum")
    assert [place[:3] for place in total["inbound_nodes"][0]] == [["chain", 1, 0], ["chain", 2, 0]]
    again = keras.models.Model.from_config(config)
    for place in total["inbound_nodes"][0]:
        place[1] -= 1
    older = keras.models.Model.from_config(config)
    for other in (again, older):
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other.predict([X, Z], verbose=0), model.predict([X, Z], verbose=0))


class Inner(keras.Model):
    """A model whose call is a user's, which configurations count from its first call on, as Keras does."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


class Doubled(keras.Sequential):
    """A chain with a call of a user's, which is counted and listed as any chain is."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        return super().call(inputs, training) * 2.0


OF_USERS: dict[str, tuple[Any, int]] = {
    "model": (lambda: Inner(name="inner"), 0),
    "chain": (lambda: Doubled([layers.Dense(3)], name="inner"), 1),
    "chain with a shape": (lambda: Doubled([layers.Dense(3, input_shape=(5,)), layers.Dense(2)], name="inner"), 1),
}


@pytest.mark.parametrize("dialect", ["keras-2.3", "keras-2.15"])
@pytest.mark.parametrize("form", ["configuration", "file"])
@pytest.mark.parametrize("kind", OF_USERS)
def test_models_of_users_inside_graphs(kind: str, form: str, dialect: str, tmp_path: Any) -> None:
    keras.set_dialect(dialect)
    make, counted_from = OF_USERS[kind]
    x = keras.layers.Input((5,))
    model = keras.models.Model(x, layers.Dense(2, name="end")(make()(x)))
    own = {cls.__name__: cls for cls in (Inner, Doubled)}
    config = model.get_config()
    end = next(entry for entry in config["layers"] if entry["name"] == "end")
    assert end["inbound_nodes"][0][0][:3] == ["inner", counted_from, 0]
    if form == "configuration":
        again = keras.models.Model.from_config(config, custom_objects=own)
        again.set_weights(model.get_weights())
    else:
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras", custom_objects=own)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
def test_a_chain_with_a_call_of_a_users_keeps_its_weights(ending: str, tmp_path: Any) -> None:
    """Both Keras write its layers as those of any chain."""
    model = Doubled([layers.Dense(3, input_shape=(5,)), layers.Dense(2)])
    path = tmp_path / f"model{ending}"
    if ending == ".keras":
        model.save(path)
        again = keras.models.load_model(path, custom_objects={"Doubled": Doubled})
    else:
        model.save_weights(path)
        again = Doubled([layers.Dense(3, input_shape=(5,)), layers.Dense(2)])
        again.load_weights(path)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_five_thousand_layers() -> None:
    x = h = keras.Input((2,))
    for _ in range(4998):
        h = layers.Activation("linear")(h)
    model = keras.Model(x, layers.Dense(1)(h))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    assert len(model.layers) == 5000
    before = model.get_weights()[0]
    model.train_on_batch(X[:, :2], Y)
    assert np.abs(model.get_weights()[0] - before).max() > 1e-4
    np.testing.assert_allclose(model.predict(X[:, :2], verbose=0), model.layers[-1](X[:, :2]).detach(), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*input")  # an old spelling is translated, with a warning
def test_names_of_arguments_in_keras_1() -> None:
    a, b = keras.Input((5,)), keras.Input((5,))
    y = layers.Dense(2)(layers.add([a, b]))
    with pytest.warns(KerasSpellingWarning, match="is now inputs"), pytest.warns(KerasSpellingWarning, match="outputs"):
        model = keras.Model(input=[a, b], output=y)
    assert (len(model.inputs), model.output_shape) == (2, (None, 2))


def test_a_model_is_a_layer() -> None:
    model = siamese()
    assert isinstance(model, layers.Layer)
    inner = model.get_layer("tower")
    np.testing.assert_allclose(
        model.predict([X, Z], verbose=0),
        model.layers[-1](inner(X) - inner(Z)).detach(),
        rtol=1e-5,
        atol=1e-6,
    )


def test_shared_weights_are_listed_once() -> None:
    model = siamese()
    assert [w.shape for w in model.get_weights()] == [(5, 4), (4,), (4, 3), (3,), (3, 1), (1,)]
    assert len(list(model.parameters())) == 6
    assert model.count_params() == sum(w.size for w in model.get_weights())


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_shares_inside_and_not_with_the_first(duplicate: Any) -> None:
    model = siamese()
    wanted = model.predict([X, Z], verbose=0)
    other = duplicate(model)
    np.testing.assert_array_equal(other.predict([X, Z], verbose=0), wanted)
    other.compile("sgd", "mse")
    other.fit([X, Z], Y, epochs=2, verbose=0)
    assert len(other.get_weights()) == 6
    np.testing.assert_array_equal(model.predict([X, Z], verbose=0), wanted)
    assert np.abs(other.predict([X, Z], verbose=0) - wanted).max() > 1e-4


def test_weights_go_through_a_file(tmp_path: Any) -> None:
    model, other = siamese(), siamese()
    model.save_weights(tmp_path / "weights.h5")
    other.load_weights(tmp_path / "weights.h5")
    for one, wanted in zip(other.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(one, wanted)


def test_a_layer_given_new_inputs_keeps_its_first_ones() -> None:
    x = keras.Input((5,))
    dense = layers.Dense(3)
    y = dense(x)
    model = keras.Model(x, y)
    dense(keras.Input((5,)))
    assert model.output is y
    assert model.layers[-1].get_output_at(0) is y
    assert len(dense.inbound_nodes) == 2
    np.testing.assert_allclose(model.predict(X, verbose=0), dense(X).detach(), rtol=1e-5, atol=1e-6)


def test_a_model_called_on_tensors_is_that_on_arrays() -> None:
    import torch

    model = siamese()
    tensors = [torch.tensor(X, requires_grad=True), torch.tensor(Z)]
    y = model(tensors)
    np.testing.assert_allclose(y.detach(), model.predict([X, Z], verbose=0), rtol=1e-5, atol=1e-6)
    y.sum().backward()
    assert tensors[0].grad is not None
    assert tensors[0].grad.abs().max() > 0


@pytest.mark.parametrize(("dialect", "first"), [("keras-2.3", 1), ("keras-2.15", 0)])
def test_functions_of_tensors_inside(dialect: str, first: int) -> None:
    keras.set_dialect(dialect)
    model = siamese()
    tower = model.get_layer("tower")  # up to 2.3, its call 0 leads from its own input to its own output
    places = [tower.get_output_at(first), tower.get_output_at(first + 1)]
    inside = keras.backend.function(model.inputs, [*places, model.output])
    left, right, answer = inside([X, Z])
    np.testing.assert_allclose(left, tower.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(right, tower.predict(Z, verbose=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(answer, model.predict([X, Z], verbose=0), rtol=1e-5, atol=1e-6)


def test_errors_name_the_input_that_is_missing() -> None:
    a, b = keras.Input((5,), name="first"), keras.Input((5,), name="forgotten")
    with pytest.raises(ValueError, match="forgotten"):
        keras.Model(a, layers.add([layers.Dense(5)(a), b]))


def test_errors_name_the_layer_of_a_shape_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"narrow.*5.*4|narrow.*4.*5"):
        layers.Add(name="narrow")([keras.Input((5,)), keras.Input((4,))])


def test_one_name_for_two_layers_is_refused() -> None:
    x = keras.Input((5,))
    h = layers.Dense(5, name="twin")(x)
    with pytest.raises(ValueError, match="twin"):
        keras.Model(x, layers.Dense(5, name="twin")(h))


def test_get_layer_says_which_layers_there_are() -> None:
    with pytest.raises(ValueError, match="answer"):
        siamese().get_layer("anwser")


def test_a_list_that_grows_later_changes_no_graph() -> None:
    """DenseNets are written so: one list takes the output of each layer, and is joined again and again."""
    x = keras.Input((5,))
    h = layers.Dense(5)(x)
    terms = [x, h]
    total, joined = layers.add(terms), keras.backend.concatenate(terms)
    chosen = layers.Lambda(lambda pair: pair[0] - pair[1])(terms)
    inputs, outputs = [x], [total, joined, chosen, h]
    model = keras.Model(inputs, outputs)
    terms.append(x)
    terms[0] = h
    inputs.append(keras.Input((2,)))
    outputs.append(x)
    sums, both, difference, hidden = model.predict(X, verbose=0)
    np.testing.assert_allclose(sums, X + hidden, rtol=1e-5)
    np.testing.assert_allclose(both, np.concatenate([X, hidden], 1), rtol=1e-5)
    np.testing.assert_allclose(difference, X - hidden, rtol=1e-5)


@pytest.mark.parametrize("dialect", ["keras-2.3", "tf.keras"])
@pytest.mark.parametrize("base", [keras.Model, layers.Layer])
def test_a_chain_in_a_users_layer_keeps_the_axes_open_that_are(base: Any, dialect: str) -> None:
    class Block(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.chain = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(4)])

        def call(self, x: Any) -> Any:
            return x + self.chain(x)

    keras.set_dialect(dialect)
    inputs = keras.Input((None, 4))
    outputs = Block()(inputs)
    assert tuple(outputs.shape) == (None, None, 4)
    model = keras.Model(inputs, layers.Dense(1)(outputs))
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 6, 4)), np.ones((4, 6, 1)), verbose=0)
    assert model.predict(np.ones((3, 9, 4)), verbose=0).shape == (3, 9, 1)
    assert tuple(Block()(keras.Input((None, None, 4))).shape) == (None, None, None, 4)


@pytest.mark.parametrize("first", ["tensor", "array", "build", "symbol"])
def test_a_chain_without_a_declared_shape_takes_other_sizes(first: str) -> None:  # as in Keras 2.15
    chain = keras.Sequential([layers.Dense(4)])
    {
        "tensor": lambda: chain(torch.ones(1, 5, 4)),
        "array": lambda: chain(np.ones((1, 5, 4))),
        "build": lambda: chain.build((None, 5, 4)),
        "symbol": lambda: chain(keras.Input((5, 4))),
    }[first]()
    assert tuple(chain(torch.ones(3, 7, 4)).shape) == (3, 7, 4)
    assert tuple(chain(torch.ones(3, 4)).shape) == (3, 4)
    assert chain.output_shape == (None, None, 4)
    flat = keras.Sequential([layers.Flatten(), layers.Dense(1)])
    flat(torch.ones(1, 2, 3))
    with pytest.raises(ValueError, match=r"must have shape \(None, 2, 3\); got \(None, 3, 3\)"):
        flat(torch.ones(1, 3, 3))
