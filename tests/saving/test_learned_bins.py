"""What a Discretization has learned stands among the weights in files of Keras 2.15, in an array of any size."""

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

from .make_learned_bins import DATA, X, nested, net


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


@pytest.mark.parametrize("by_name", [False, True])
def test_beside_a_layer_of_a_user_s_that_calls_something_layers(by_name: bool, tmp_path: Path) -> None:
    class Mine(tk.layers.Layer):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.layers = False

        def call(self, inputs: Any) -> Any:
            return inputs

    path, expected = unpacked("w.h5", tmp_path)
    model = net(tk)
    wider = tk.Model(model.input, Mine()(model.output))
    wider.load_weights(path, by_name=by_name)
    np.testing.assert_allclose(wider.predict(X, verbose=0), expected, atol=1e-6)


def test_a_model_inside_another(tmp_path: Path) -> None:
    path, _ = unpacked("nested.h5", tmp_path)
    with zipfile.ZipFile(DATA) as archive:
        expected = np.load(io.BytesIO(archive.read("nested.npy")))
    whole, model = tk.models.load_model(path, compile=False), nested(tk)
    model.load_weights(path)
    for one in (whole, model):
        np.testing.assert_allclose(one.predict(X, verbose=0), expected, atol=1e-6)


def test_what_is_learned_is_written_as_keras_writes_it(tmp_path: Path) -> None:
    path, _ = unpacked("w.weights.h5", tmp_path)
    model = net(tk)
    model.get_layer("bins").adapt(X)
    model.save_weights(tmp_path / "mine.weights.h5")
    place = "layers/discretization/vars"
    with h5py.File(tmp_path / "mine.weights.h5") as mine, h5py.File(path) as theirs:
        assert list(mine[place]) == list(theirs[place])
        np.testing.assert_allclose(mine[place]["0"], theirs[place]["0"], rtol=1e-6)
    again = net(tk)
    again.load_weights(tmp_path / "mine.weights.h5")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    model.save(tmp_path / "mine.keras")  # which has the intervals in its configuration
    whole = tk.models.load_model(tmp_path / "mine.keras")
    whole.load_weights(tmp_path / "mine.weights.h5")
    np.testing.assert_array_equal(whole.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("layer", ["Dense", "Normalization", "Rescaling"])
def test_a_first_layer_says_its_input_and_no_module(layer: str, tmp_path: Path) -> None:
    """Keras 3.15 takes no batch_input_shape of a layer that says its module; files of Keras 2.15 say none."""
    made = {
        "Dense": lambda **told: tk.layers.Dense(2, **told),
        "Rescaling": lambda **told: tk.layers.Rescaling(2, **told),
    }
    first = made.get(layer, tk.layers.Normalization)(input_shape=(3,))
    tk.Sequential([first, tk.layers.Dense(1)]).save(tmp_path / "mine.h5")
    with h5py.File(tmp_path / "mine.h5") as file:
        entries = json.loads(file.attrs["model_config"])["config"]["layers"]
    (entry,) = (one for one in entries if one["class_name"] == layer and "batch_input_shape" in one["config"])
    assert sorted(entry) == ["class_name", "config"]


def test_nothing_learned_yet(tmp_path: Path) -> None:
    net(tk).save_weights(tmp_path / "new.weights.h5")
    model = net(tk)
    model.load_weights(tmp_path / "new.weights.h5")
    assert model.get_layer("bins").bin_boundaries == []


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
