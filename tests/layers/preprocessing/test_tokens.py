"""Integers, words and hashes: what the layers refuse, keep and give beyond the numbers of Keras."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat._core import devices
from torchkeras_compat._core.graph_capture import CannotCapture, as_capture

WORDS = ["red", "green", "blue"]
X = np.array([["green", "mauve"], ["blue", "red"]])


def text(**more: Any) -> Any:
    return L.TextVectorization(vocabulary=WORDS, output_sequence_length=3, **more)


MADE: dict[str, tuple[Callable[[], Any], Any]] = {
    "StringLookup": (
        lambda: L.StringLookup(
            max_tokens=9, num_oov_indices=2, mask_token="-", oov_token="?", vocabulary=WORDS, encoding="latin-1",
            output_mode="tf_idf", idf_weights=[0.1, 0.2, 0.3], pad_to_max_tokens=True,
        ),
        X,
    ),
    "StringLookup inverted": (lambda: L.StringLookup(vocabulary=WORDS, invert=True), np.array([[1, 0, 9]])),
    "IntegerLookup": (
        lambda: L.IntegerLookup(
            max_tokens=9, num_oov_indices=2, mask_token=0, oov_token=-7, vocabulary=[5, 6], vocabulary_dtype="int32",
            output_mode="count",
        ),
        np.array([[5, 0], [9, 6]]),
    ),
    "TextVectorization": (
        lambda: L.TextVectorization(
            max_tokens=9, standardize="lower", split="character", ngrams=(1, 2), output_mode="tf_idf",
            pad_to_max_tokens=True, vocabulary=["a", "b", "a b"], idf_weights=[0.1, 0.2, 0.3],
        ),
        ["ab", "BA b"],
    ),
    "TextVectorization of numbers": (text, ["red Green!", "blue"]),
    "Hashing": (lambda: L.Hashing(7, mask_value="red", salt=(3, 4), output_mode="count"), X),
    "HashedCrossing": (lambda: L.HashedCrossing(7, output_mode="one_hot"), [X[0], X[1]]),
}  # fmt: skip


def same(one: Any, other: Any) -> bool:
    return np.array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize("name", MADE)
def test_copies_and_configurations(name: str) -> None:
    make, x = MADE[name]
    layer = make()
    expected = layer(x)
    config = json.loads(json.dumps(keras.layers.serialize(layer)))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), keras.layers.deserialize(config)):
        assert same(other(x), expected)
        assert json.loads(json.dumps(other.get_config())) == config["config"]


@pytest.mark.parametrize("name", [name for name in MADE if "inverted" not in name])
def test_shapes(name: str) -> None:
    make, x = MADE[name]
    layer = make()
    shape = [(None,), (None,)] if name == "HashedCrossing" else (None, *np.shape(x)[1:])
    y = layer(x)
    assert layer.compute_output_shape(shape) == (None, *y.shape[1:])


def test_adapted_layers_keep_their_vocabulary_in_configurations() -> None:
    for layer in (L.StringLookup(output_mode="tf_idf"), L.TextVectorization(output_mode="tf_idf")):
        layer.adapt(np.array([["a b a"], ["b"]]))
        other = type(layer).from_config(layer.get_config())
        assert other.get_vocabulary() == layer.get_vocabulary()
        assert same(other(np.array([["a"], ["b"]])), layer(np.array([["a"], ["b"]])))


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: L.StringLookup(max_tokens=1), "max_tokens must be greater than 1; got 1"),
    (lambda: L.StringLookup(num_oov_indices=-1), "num_oov_indices must be an integer ≥ 0; got -1"),
    (lambda: L.StringLookup(pad_to_max_tokens=True), "pad_to_max_tokens must be False without max_tokens"),
    (lambda: L.StringLookup(invert=True, output_mode="count"), "output_mode must be 'int' where invert=True"),
    (lambda: L.StringLookup(output_mode="counts"), "did you mean 'count'"),
    (lambda: L.StringLookup(sparse=True), "sparse must be False"),
    (lambda: L.StringLookup(vocabulary=["a", "a"]), "stands once in a vocabulary"),
    (lambda: L.StringLookup(vocabulary=["a", "[UNK]"]), "'[UNK]' is a special token"),
    (lambda: L.StringLookup(vocabulary=WORDS, max_tokens=3), "max_tokens=3 leaves room for 2 tokens; got 3"),
    (lambda: L.StringLookup(vocabulary=WORDS, output_mode="tf_idf"), "needs idf_weights, one for each of the 3 tokens"),
    (lambda: L.StringLookup(idf_weights=[1.0]), "idf_weights must be None unless output_mode='tf_idf'"),
    (lambda: L.StringLookup(vocabulary=WORDS).adapt(X), "adapt has nothing to learn"),
    (lambda: L.StringLookup(vocabulary=WORDS, num_oov_indices=0)(X), "'mauve' is not in the vocabulary"),
    (lambda: L.StringLookup(vocabulary=WORDS)([[1]]), "it takes strings; got 1. Write IntegerLookup"),
    (lambda: L.StringLookup(output_mode="count")(X), "it has no vocabulary yet; call adapt"),
    (lambda: L.StringLookup(vocabulary=WORDS, output_mode="count")(X[None]), "gives two axes at most"),
    (lambda: L.IntegerLookup(vocabulary_dtype="string"), "vocabulary_dtype must be 'int64' or 'int32'"),
    (lambda: L.TextVectorization(split="words"), "split must be one of 'whitespace', 'character'"),
    (lambda: L.TextVectorization(standardize="lowr"), "did you mean 'lower'"),
    (lambda: L.TextVectorization(ngrams=0), "ngrams must be None, a positive integer or a tuple of them; got 0"),
    (lambda: L.TextVectorization(ragged=True), "ragged must be False"),
    (lambda: L.TextVectorization(output_mode="count", output_sequence_length=3), "None unless output_mode='int'"),
    (lambda: text()(X), r"it takes one text for each sample, shape (batch,) or (batch, 1); got shape (2, 2)"),
    (lambda: text()([1]), "it takes strings; got 1"),
    (lambda: L.Hashing(0), "num_bins must be a positive integer; got 0"),
    (lambda: L.Hashing(3, salt=[1, 2, 3]), "salt must be an integer or two of them; got [1, 2, 3]"),
    (lambda: L.Hashing(3)([[0.5]]), "it takes strings or integers; got 0.5"),
    (lambda: L.HashedCrossing(3, output_mode="count"), "output_mode must be one of 'int', 'one_hot'"),
    (lambda: L.HashedCrossing(3)([X[0]]), "a list of two features or more"),
    (lambda: L.HashedCrossing(3)([X[0], X]), "got (2,), (2, 2)"),
    (lambda: L.CategoryEncoding(3)([[0, 3]]), "index 3 is out of range for num_tokens=3; write num_tokens=4"),
    (lambda: L.CategoryEncoding(3)([[0]], count_weights=[[1.0]]), "count_weights goes with output_mode='count'"),
    (lambda: L.CategoryEncoding(3, output_mode="one_hot")([[[0, 1]]]), "gives two axes at most"),
    (lambda: L.Discretization().adapt([1.0]), "write Discretization(num_bins="),
    (lambda: L.Discretization([0.0]).adapt([1.0]), "adapt has nothing to learn"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message[:30] for _, message in REFUSED])
def test_refusals(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError, RuntimeError)) as caught:
        call()
    assert message in str(caught.value)


def test_a_vocabulary_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("red\ngrün\n", encoding="utf-8")
    assert L.StringLookup(vocabulary=str(path)).get_vocabulary() == ["[UNK]", "red", "grün"]
    path.write_text("7\n8\n", encoding="utf-8")
    assert L.IntegerLookup(vocabulary=path).get_vocabulary(include_special_tokens=False) == [7, 8]


def test_another_vocabulary_of_another_size() -> None:
    layer = L.StringLookup(vocabulary=WORDS, output_mode="count")
    layer.set_vocabulary(["a"])
    layer(X)
    with pytest.raises(RuntimeError, match="would change their size"):
        layer.set_vocabulary(WORDS)
    numbers = L.StringLookup(vocabulary=["a"])
    numbers(X)
    numbers.set_vocabulary(WORDS)
    assert numbers(X).tolist() == [[2, 0], [3, 1]]
    assert numbers.vocabulary_size() == 4


def test_adapt_again_forgets() -> None:
    layer = L.StringLookup()
    layer.adapt(np.array(["a", "b", "a"]))
    assert layer.get_vocabulary() == ["[UNK]", "a", "b"]
    layer.adapt(np.array(["c"]))
    assert layer.get_vocabulary() == ["[UNK]", "c"]


@pytest.mark.parametrize(
    "x", [["green"], np.array([b"green"]), pd.Series(["green"]), np.array(["green"], object)], ids=str
)
def test_kinds_of_strings(x: Any) -> None:
    assert L.StringLookup(vocabulary=WORDS)(x).tolist() == [2]
    assert text()(x).tolist() == [[3, 0, 0]]
    assert L.Hashing(50)(x).tolist() == L.Hashing(50)(["green"]).tolist()
    assert L.StringLookup(vocabulary=WORDS)("green").tolist() == 2
    assert text()("green").tolist() == [3, 0, 0]


def test_functions_of_texts() -> None:
    layer = L.TextVectorization(
        standardize=lambda line: line.replace("<br />", " ").upper(), split=lambda line: line.split("-")
    )
    layer.adapt(["a-b<br />", "b -c"])
    assert layer.get_vocabulary() == ["", "[UNK]", "B ", "C", "A"]
    assert L.TextVectorization(output_mode=None)(["One two!", ""]) == [["one", "two"], []]


def test_only_texts_of_a_fixed_length_are_promised_apart() -> None:
    assert text()._traits.row_wise
    assert L.TextVectorization(output_mode="count")._traits.row_wise
    assert not L.TextVectorization()._traits.row_wise


def test_texts_train_a_model() -> None:
    texts = ["good fine good", "bad sad", "fine", "sad bad bad"] * 4
    y = np.array([1.0, 0, 1, 0] * 4)
    layer = L.TextVectorization(output_sequence_length=4)
    layer.adapt(texts)
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [L.Embedding(layer.vocabulary_size(), 4, mask_zero=True), L.GlobalAveragePooling1D(), L.Dense(1, "sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(layer(texts), y, epochs=10, verbose=0)
    assert history.history["accuracy"][-1] == 1.0


def test_integers_in_models() -> None:
    lookup = L.IntegerLookup(output_mode="multi_hot")
    lookup.adapt(np.array([[3], [9], [9]]))
    model = keras.Sequential([L.Input((2,), dtype="int64"), lookup, L.Dense(1, kernel_initializer="ones")])
    assert model.predict(np.array([[3, 9], [4, 4]]), verbose=0).tolist() == [[2.0], [1.0]]
    x = L.Input((2,), dtype="int32")
    graph = keras.Model(x, L.CategoryEncoding(4, output_mode="count")(x))
    assert graph.predict(np.array([[3, 3], [0, 1]]), verbose=0).tolist() == [[0, 0, 0, 2], [1, 1, 0, 0]]
    model.compile("sgd", "mse")
    model.fit(np.array([[3, 9], [4, 4]]), np.zeros(2), verbose=0)
    bins = L.Discretization([0.0], output_mode="one_hot")
    assert keras.Sequential([L.Input((1,)), bins]).predict(np.array([[-1.0], [1.0]]), verbose=0).tolist() == [
        [1, 0],
        [0, 1],
    ]


def test_what_is_out_of_range_on_a_device_is_not_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "on_host", lambda tensor: False)  # as for a tensor on CUDA, which is not read
    y = L.CategoryEncoding(3)(torch.tensor([[0, 1], [0, 3]]))
    assert y[0].tolist() == [1, 1, 0]
    assert y[1].isnan().all()


def test_strings_stay_out_of_graphs() -> None:
    with as_capture(), pytest.raises(CannotCapture, match="looks tokens up in Python"):
        L.StringLookup(vocabulary=WORDS)(X)
