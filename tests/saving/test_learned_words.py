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

from .make_learned_words import DATA, NUMBERS, TEXTS, WORDS

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
