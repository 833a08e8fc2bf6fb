"""Keras before 1.0: the model `Graph`, sizes of inputs in front, and layers that are no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as ours
from torchkeras_compat import compat
from torchkeras_compat._core.border import KerasSpellingWarning

_R = np.random.RandomState(0)
X = _R.randn(40, 8).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


@pytest.fixture(autouse=True)
def facades() -> Iterator[None]:
    compat.install()
    yield
    compat.uninstall()


def two_branches() -> Any:
    from keras.layers.core import Dense, Dropout
    from keras.models import Graph

    graph = Graph()
    graph.add_input(name="input", input_shape=(8,))
    graph.add_node(Dense(16, activation="tanh"), name="dense1", input="input")
    graph.add_node(Dense(4), name="dense2", input="input")
    graph.add_node(Dropout(0.5), name="drop", input="dense1")
    graph.add_node(Dense(4), name="dense3", input="drop")
    graph.add_output(name="output", inputs=["dense2", "dense3"], merge_mode="sum")
    return graph


def test_a_graph_computes_what_its_nodes_do() -> None:
    graph = two_branches()
    w1, b1, w2, b2, w3, b3 = (
        layer for name in ("dense1", "dense2", "dense3") for layer in graph.nodes[name].get_weights()
    )
    expected = X @ w2 + b2 + np.tanh(X @ w1 + b1) @ w3 + b3
    graph.compile("sgd", {"output": "mse"})
    np.testing.assert_allclose(graph.predict({"input": X})["output"], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(graph.predict_on_batch({"input": X})["output"], expected, rtol=1e-4, atol=1e-5)
    target = expected + 2
    assert graph.evaluate({"input": X, "output": target}) == pytest.approx(4, rel=1e-4)
    assert graph.test_on_batch({"input": X, "output": target}) == pytest.approx(4, rel=1e-4)
    assert (sorted(graph.inputs), sorted(graph.outputs)) == (["input"], ["output"])


def test_a_graph_learns(capsys: pytest.CaptureFixture[str]) -> None:
    graph = two_branches()
    graph.compile(optimizer="rmsprop", loss={"output": "mse"})
    data = {"input": X, "output": np.repeat(Y, 4, 1)}
    history = graph.fit(data, nb_epoch=20, batch_size=8, verbose=0, validation_split=0.2)
    assert sorted(history.history) == ["loss", "val_loss"]
    assert history.history["loss"][-1] < history.history["loss"][0]
    before = graph.get_weights()
    graph.train_on_batch(data, sample_weight={"output": np.ones(40)})
    assert any((old != new).any() for old, new in zip(before, graph.get_weights()))
    graph.summary()
    assert "dense3" in capsys.readouterr().out


def test_several_outputs_shared_nodes_and_generators() -> None:
    from keras.layers.core import Activation, Dense
    from keras.models import Graph

    graph = Graph()
    graph.add_input("a", input_shape=(8,))
    graph.add_input("b", batch_input_shape=(None, 8))
    graph.add_shared_node(Dense(4), name="shared", inputs=["a", "b"], merge_mode="concat", concat_axis=-1)
    graph.add_shared_node(Activation("tanh"), name="each", inputs=["a", "b"], outputs=["left", "right"])
    graph.add_node(Dense(1, activation="sigmoid"), name="d", input="shared", create_output=True)
    graph.add_node(Dense(1), name="product", inputs=["left", "right"], merge_mode="mul")
    graph.add_output("other", input="product")
    assert graph.count_params() == 8 * 4 + 4 + 8 + 1 + 8 + 1
    graph.compile("adam", {"d": "binary_crossentropy", "other": "mse"}, loss_weights={"d": 1.0, "other": 0.5})
    data = {"a": X, "b": X, "d": Y, "other": Y}

    def batches() -> Iterator[Any]:
        while True:
            yield {name: array[:10] for name, array in data.items()}

    with pytest.warns(KerasSpellingWarning):
        history = graph.fit_generator(batches(), samples_per_epoch=20, nb_epoch=2, verbose=0, validation_data=data)
    assert {"loss", "d_loss", "other_loss", "val_loss"} <= history.history.keys()
    predicted = graph.predict({"a": X, "b": X})
    assert {name: array.shape for name, array in predicted.items()} == {"d": (40, 1), "other": (40, 1)}


def test_what_a_graph_refuses() -> None:
    from keras.layers import Dense
    from keras.models import Graph

    graph = Graph()
    with pytest.raises(ValueError, match="input_shape"):
        graph.add_input("x")
    graph.add_input("x", input_shape=(3,))
    with pytest.raises(ValueError, match="no output"):
        graph.compile("sgd", {})
    with pytest.raises(ValueError, match="no node 'y'"):
        graph.add_node(Dense(2), name="d", input="y")
    graph.add_node(Dense(2), name="d", input="x", create_output=True)
    with pytest.raises(ValueError, match="no other node"):
        graph.add_node(Dense(2), name="d", input="x")
    with pytest.raises(ValueError, match="one of them"):
        graph.add_output("z")
    with pytest.raises(ValueError, match="'x'"):
        graph.predict({"y": X})


@pytest.mark.filterwarnings("ignore::torchkeras_compat._core.border.KerasSpellingWarning")
def test_sizes_of_inputs_in_front() -> None:
    from keras.layers.core import Activation, Dense, Dropout, TimeDistributedDense
    from keras.layers.embeddings import Embedding
    from keras.layers.recurrent import LSTM
    from keras.models import Sequential

    model = Sequential()
    model.add(Dense(8, 64, init="uniform"))
    model.add(Activation("tanh"))
    model.add(Dropout(0.5))
    model.add(Dense(64, 1, init="uniform", activation="sigmoid"))
    assert [w.shape for w in model.get_weights()] == [(8, 64), (64,), (64, 1), (1,)]
    words = Sequential()
    words.add(Embedding(20, 8))
    words.add(LSTM(8, 16, return_sequences=True, activation="sigmoid", inner_activation="hard_sigmoid"))
    words.add(TimeDistributedDense(16, 2))
    assert words.output_shape == (None, None, 2)


@pytest.mark.filterwarnings("ignore:.*nb_")
def test_where_sizes_in_front_are_told_or_refused() -> None:
    from keras.layers import Convolution2D, Dense, MaxPooling2D

    with pytest.warns(KerasSpellingWarning, match="64 units behind input_dim=8"):
        Dense(8, 64)
    with pytest.raises(TypeError, match=r"write Convolution2D\(32, 5, 5\).*input_shape=\(3, rows, columns\)"):
        Convolution2D(32, 3, 5, 5)
    with pytest.raises(ValueError, match="ZeroPadding2D"):
        Convolution2D(nb_filter=32, nb_row=3, nb_col=3, border_mode="full")
    with pytest.warns(KerasSpellingWarning, match="pool_size"):
        assert MaxPooling2D(poolsize=(3, 3), ignore_border=True).pool_size == (3, 3)
    from tensorflow.keras.layers import Dense as Today

    with pytest.raises(TypeError, match="activation"):
        Today(8, 64)


@pytest.mark.parametrize(
    ("module", "name", "text"),
    [
        ("core", "AutoEncoder", r"model\.add\(decoder\)"),
        ("recurrent", "JZS2", "write GRU"),
        ("recurrent", "SimpleDeepRNN", "return_sequences=True"),
        ("core", "TimeDistributedMerge", r"K\.sum\(x, axis=1\)"),
    ],
)
def test_layers_that_are_no_more(module: str, name: str, text: str) -> None:
    with pytest.raises(ImportError, match=text):
        exec(f"from keras.layers.{module} import {name}")


def test_containers() -> None:
    from keras.layers import containers
    from keras.layers.containers import Graph, Sequential
    from keras.layers.core import Dense
    from keras.legacy.models import Graph as OfLegacy
    from keras.models import Sequential as OfModels

    assert Graph is OfLegacy
    assert issubclass(Sequential, ours.Sequential)
    encoder = containers.Sequential([Dense(6, input_dim=8), Dense(4)])
    whole = OfModels([encoder, containers.Sequential([Dense(6, input_dim=4), Dense(8)])])
    assert whole.output_shape == (None, 8)


def test_a_summary_of_layers(capsys: pytest.CaptureFixture[str]) -> None:
    from keras.layers import Dense
    from keras.models import Sequential
    from keras.utils.layer_utils import print_summary

    print_summary(Sequential([Dense(3, input_dim=8)]).layers)
    assert "Total params: 27" in capsys.readouterr().out
