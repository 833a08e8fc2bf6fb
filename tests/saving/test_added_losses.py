"""Losses and metrics of symbolic tensors that were added to a model are in its files and copies, or told of."""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import backend as K
from torchkeras_compat import layers
from torchkeras_compat._core.symbolic import SymbolicTensor

RNG = np.random.RandomState(3)
X, Y = RNG.standard_normal((8, 4)).astype("float32"), RNG.standard_normal((8, 2)).astype("float32")


def with_two_losses(x: Any, hidden: Any, model: Any) -> None:
    model.add_loss(0.1 * K.mean(K.abs(hidden)))
    model.add_loss([K.sum(K.square(hidden)) * 0.01, K.mean(x)])


def with_a_layer_of_its_own(x: Any, hidden: Any, model: Any) -> None:
    model.add_loss(K.mean(layers.Dense(2, name="beside", activation="tanh")(hidden)))


def with_metrics(x: Any, hidden: Any, model: Any) -> None:
    model.add_metric(K.sum(hidden), name="total", aggregation="mean")
    model.add_metric(K.max(x), name="largest", aggregation="mean")


def with_both(x: Any, hidden: Any, model: Any) -> None:
    with_two_losses(x, hidden, model)
    with_metrics(x, hidden, model)


ADDED = [with_two_losses, with_a_layer_of_its_own, with_metrics, with_both]


def model_with(add: Any) -> Any:
    x = keras.layers.Input((4,), name="x")
    hidden = layers.Dense(3, name="hidden")(x)
    model = keras.models.Model(x, layers.Dense(2, name="end")(hidden))
    add(x, hidden, model)
    model.compile("sgd", "mse")
    return model


def as_hdf5(model: Any, folder: Path) -> Any:
    model.save(folder / "model.h5")
    return keras.models.load_model(folder / "model.h5")


def as_archive(model: Any, folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="(?s).*Keras 3")
        model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def as_json(model: Any, folder: Path) -> Any:
    return _compiled(keras.models.model_from_json(model.to_json()), model)


def as_clone(model: Any, folder: Path) -> Any:
    return _compiled(keras.models.clone_model(model), model)


def as_copy(model: Any, folder: Path) -> Any:
    return copy.deepcopy(model)


def as_pickle(model: Any, folder: Path) -> Any:
    return pickle.loads(pickle.dumps(model))


def _compiled(made: Any, model: Any) -> Any:
    made.set_weights(model.get_weights())
    made.compile("sgd", "mse")
    return made


WAYS = [as_hdf5, as_archive, as_json, as_clone, as_copy, as_pickle]


@pytest.mark.parametrize("dialect", ["keras-2.3", "tf.keras", "keras-2.15"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("add", ADDED)
def test_they_are_there_again(add: Any, way: Any, dialect: str, tmp_path: Path) -> None:
    keras.set_dialect(dialect)
    model = model_with(add)
    model.train_on_batch(X, Y)
    again = way(model, tmp_path)
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    assert again.metrics_names == model.metrics_names
    twice = way(again, tmp_path)
    assert again.train_on_batch(X, Y) == model.train_on_batch(X, Y) == twice.train_on_batch(X, Y)
    for one, other in zip(again.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_the_form_is_that_of_keras() -> None:
    """What Keras 2.15.0 writes for such a model, without the modules of its own."""
    entries = model_with(with_both).get_config()["layers"]
    told = {entry["name"]: entry for entry in entries if entry["class_name"] in ("AddLoss", "AddMetric")}
    assert list(told) == ["add_loss", "add_loss_1", "add_loss_2", "add_metric", "add_metric_1"]
    assert told["add_loss"]["config"] == {
        "name": "add_loss",
        "trainable": True,
        "dtype": "float32",
        "unconditional": False,
    }
    assert told["add_metric"]["config"] == {
        "name": "add_metric",
        "trainable": True,
        "dtype": "float32",
        "aggregation": "mean",
        "metric_name": "total",
    }
    source = told["add_metric"]["inbound_nodes"]
    assert [len(source), len(source[0]), source[0][0][1:]] == [1, 1, [0, 0, {}]]


def test_keras_3_is_told(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="'add_loss': Keras 3 has no losses of tensors that are added to a model"):
        model_with(with_two_losses).save(tmp_path / "model.keras")


def of_weights(x: Any, hidden: Any, model: Any) -> None:
    model.add_loss(lambda: K.sum(model.layers[1].kernel))


def of_a_nameless_function(x: Any, hidden: Any, model: Any) -> None:
    model.add_loss(SymbolicTensor((), "float32", lambda h: h.sum(), (hidden,)))


@pytest.mark.parametrize(("add", "why"), [(of_weights, "weights alone"), (of_a_nameless_function, "no name by which")])
def test_what_no_file_can_have_is_told(add: Any, why: str, tmp_path: Path) -> None:
    model = model_with(add)
    with pytest.warns(UserWarning, match=f"what add_loss was given is not in the configuration, .*{why}"):
        model.save(tmp_path / "model.h5")
    again = keras.models.load_model(tmp_path / "model.h5")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_chain_tells_that_it_has_none() -> None:
    model = keras.models.Sequential([layers.Dense(2, input_dim=4)])
    model.add_loss(K.mean(K.abs(model.layers[0].output)))
    with pytest.warns(UserWarning, match="what add_loss was given is not in the configuration, .* Sequential"):
        model.get_config()
