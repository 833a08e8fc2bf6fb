"""Weight files of Keras 2.15 load here; `make_keras_files.py --check` loads ours there."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk

from .mixed_model import model

DATA = Path(__file__).resolve().parent / "data"


def our_model() -> tk.Sequential:
    """The model of the files, of our layers."""
    tk.set_dialect("tf.keras")
    made: tk.Sequential = model(tk)
    return made


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(DATA / "keras_2_15.npz") as data:
        return dict(data)


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("name", ["keras_2_15.h5", "keras_2_15_model.h5", "keras_2_15_frozen.h5"])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_file_of_keras_loads(name: str, by_name: bool, frozen: bool, golden: dict[str, np.ndarray]) -> None:
    # Keras orders the weights of a frozen inner model otherwise; whichever order the file has, each finds its place.
    net = our_model()
    net.get_layer("inner").trainable = not frozen
    net.load_weights(DATA / name, by_name=by_name)
    np.testing.assert_allclose(net.predict(golden["x"], verbose=0), golden["y"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("frozen", [False, True])
def test_our_file_has_the_layout_of_keras(frozen: bool, tmp_path: Path) -> None:
    net = our_model()
    net.load_weights(DATA / "keras_2_15.h5")
    net.get_layer("inner").trainable = not frozen
    net.save_weights(tmp_path / "ours.h5")
    theirs = DATA / ("keras_2_15_frozen.h5" if frozen else "keras_2_15.h5")
    with h5py.File(tmp_path / "ours.h5") as ours, h5py.File(theirs) as keras:
        assert list(ours) == list(keras)
        assert sorted(ours.attrs) == sorted(keras.attrs)
        assert list(ours.attrs["layer_names"]) == list(keras.attrs["layer_names"])
        assert ours.attrs["backend"] == keras.attrs["backend"]
        for attribute in keras.attrs:
            assert ours.attrs.get_id(attribute).dtype == keras.attrs.get_id(attribute).dtype
        for layer in keras:
            names = list(keras[layer].attrs["weight_names"])
            assert ours[layer].attrs.get_id("weight_names").dtype == keras[layer].attrs.get_id("weight_names").dtype
            assert list(ours[layer].attrs["weight_names"]) == names
            for name in names:
                assert ours[layer][name].dtype == keras[layer][name].dtype
                np.testing.assert_array_equal(ours[layer][name], keras[layer][name])


def test_words_that_a_lookup_has_learned_come_from_the_archive() -> None:
    restored = tk.models.load_model(DATA / "keras_2_15_lookup.keras", compile=False)
    expected = [  # what Keras 2.15 printed
        [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0],
    ]
    looked_up = np.array([[1, 5], [2, 5], [7, 5], [2, 9]])
    np.testing.assert_array_equal(restored.predict(looked_up, verbose=0), expected)
    assert restored.layers[-1].vocabulary_size() == 7
