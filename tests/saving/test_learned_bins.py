"""What a Discretization has learned stands among the weights in files of Keras 2.15, in an array of any size."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk

from .make_learned_bins import DATA, X, net


def unpacked(name: str, folder: Path) -> tuple[str, Any]:
    with zipfile.ZipFile(DATA) as archive:
        return archive.extract(name, folder), np.load(io.BytesIO(archive.read("y.npy")))


@pytest.fixture(autouse=True)
def _dialect() -> None:
    tk.set_dialect("keras-2.15")


@pytest.mark.parametrize("name", ["net.h5", "net.keras"])
def test_a_whole_model(name: str, tmp_path: Path) -> None:
    path, expected = unpacked(name, tmp_path)
    np.testing.assert_allclose(tk.models.load_model(path, compile=False).predict(X, verbose=0), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["net.h5", "w.h5", "w.weights.h5"])
def test_weights(name: str, tmp_path: Path) -> None:
    path, expected = unpacked(name, tmp_path)
    model = net(tk)
    model.load_weights(path)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-6)


def test_weights_by_name(tmp_path: Path) -> None:
    path, _ = unpacked("w.h5", tmp_path)
    model, whole = net(tk), net(tk)
    whole.load_weights(path)
    for layer in model.layers[2:]:
        layer._name = f"other_{layer.name}"
    with pytest.warns(UserWarning, match="skipped"):
        model.load_weights(path, by_name=True)
    assert model.get_layer("bins").bin_boundaries == whole.get_layer("bins").bin_boundaries


def test_a_damaged_summary_changes_nothing(tmp_path: Path) -> None:
    path, _ = unpacked("w.h5", tmp_path)
    with h5py.File(path, "r+") as file:
        place = file["bins"]["bins"] if "bins" in file["bins"] else file["bins"]
        del place["summary:0"]
        place["summary:0"] = np.ones((3, 4), "float32")
    model = net(tk)
    before = model.get_weights()
    with pytest.raises(ValueError, match="bins"):
        model.load_weights(path)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert model.get_layer("bins").bin_boundaries == []
