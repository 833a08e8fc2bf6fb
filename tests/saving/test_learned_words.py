"""Words that lookups have learned: archives of Keras 2.15 have them beside the configuration, which tells how many."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk

from .make_learned_words import DATA, NUMBERS, TEXTS, WORDS, nets

SAMPLES = {"sequences": TEXTS, "bags": TEXTS, "weighted": TEXTS, "one_hot": WORDS, "several": NUMBERS}


@pytest.mark.parametrize("name", SAMPLES)
def test_models_of_keras_predict_the_same(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(DATA) as archive:
        path, expected = archive.extract(f"{name}.keras", tmp_path), np.load(io.BytesIO(archive.read(f"{name}.npy")))
    model = tk.models.load_model(path, compile=False)
    np.testing.assert_allclose(model.predict(SAMPLES[name], verbose=0), expected, atol=1e-6)
    model.save(tmp_path / "again.keras")
    again = tk.models.load_model(tmp_path / "again.keras", compile=False)
    np.testing.assert_allclose(again.predict(SAMPLES[name], verbose=0), expected, atol=1e-6)


def test_weights_of_words_stand_where_keras_puts_and_seeks_them(tmp_path: Path) -> None:
    """Keras 2.15 and 3 read them, by their name, for the layer and for the one inside it that looks words up."""
    model, _ = nets(tk)["weighted"]
    model.save_weights(tmp_path / "w.weights.h5")
    with zipfile.ZipFile(DATA) as archive, zipfile.ZipFile(archive.open("weighted.keras")) as inner:
        inner.extract("model.weights.h5", tmp_path)
    layer = "layers/text_vectorization"
    with h5py.File(tmp_path / "w.weights.h5") as mine, h5py.File(tmp_path / "model.weights.h5") as theirs:
        for place in (f"{layer}/vars", f"{layer}/_lookup_layer/vars"):
            np.testing.assert_allclose(mine[place]["idf_weights"], theirs[place]["idf_weights"], rtol=1e-6)
    text = model.layers[1]
    known = text.idf_weights_by_index
    text.set_idf_weights(np.zeros_like(known))
    model.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(text.idf_weights_by_index, known, rtol=1e-6)
    other = tk.layers.TextVectorization(output_mode="tf_idf", vocabulary=["a"], idf_weights=[1.0])
    inputs = tk.Input((1,), dtype="string")
    small = tk.Model(inputs, tk.layers.Dense(2)(other(inputs)))
    with pytest.raises(ValueError, match=r"idf_weights of shape \(7,\); it has 2 words"):
        small.load_weights(tmp_path / "model.weights.h5")


def test_padded_weights_of_words(tmp_path: Path) -> None:
    """With pad_to_max_tokens Keras has them for all of max_tokens, zeros at the end."""
    text = tk.layers.TextVectorization(output_mode="tf_idf", max_tokens=9, pad_to_max_tokens=True)
    text.adapt(TEXTS)
    inputs = tk.Input((1,), dtype="string")
    model = tk.Model(inputs, tk.layers.Dense(2)(text(inputs)))
    model.save(tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        archive.extract("model.weights.h5", tmp_path)
    with h5py.File(tmp_path / "model.weights.h5") as file:
        weights = file["layers/text_vectorization/vars/idf_weights"][()]
    assert weights.shape == (9,)
    assert (weights > 0).sum() == len(text.get_vocabulary())
    again = tk.models.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(again.predict(TEXTS, verbose=0), model.predict(TEXTS, verbose=0))


@pytest.mark.parametrize("size", ["many", -1, 0, 1.5])
def test_a_size_that_is_none_is_refused(size: Any) -> None:
    for cls in (tk.layers.StringLookup, tk.layers.TextVectorization):
        with pytest.raises((TypeError, ValueError), match="vocabulary_size"):
            cls.from_config({**cls().get_config(), "vocabulary_size": size})


def test_text_vectorization_tells_the_type_that_keras_asks_for(tmp_path: Path) -> None:
    """Keras 2.15: «`TextVectorization` may only have a dtype of string.»"""
    inputs = tk.Input((1,), dtype="string")
    words = tk.layers.TextVectorization(vocabulary=["the", "cat"], output_sequence_length=3)
    tk.Model(inputs, words(inputs)).save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        entries = json.loads(file.attrs["model_config"])["config"]["layers"]
    assert [entry["config"]["dtype"] for entry in entries] == ["string", "string"]
