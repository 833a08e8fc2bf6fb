"""Weight files of Keras 2.15 load here; `make_keras_files.py --check` loads ours there."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk

DATA = Path(__file__).resolve().parent / "data"


def model() -> tk.Sequential:
    """The model of `make_keras_files.py`."""
    layers = tk.layers
    tk.set_dialect("tf.keras")
    inner = tk.Sequential(
        [
            layers.Dense(4, activation="tanh", input_shape=(5, 6), name="wide"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(3, name="narrow"),
        ],
        name="inner",
    )
    return tk.Sequential(
        [
            layers.Conv1D(6, 3, padding="same", input_shape=(5, 2), name="conv"),
            layers.BatchNormalization(name="norm"),
            inner,
            layers.LSTM(4, return_sequences=True, name="lstm"),
            layers.GRU(3, name="gru"),
            layers.Dropout(0.5, name="dropout"),
            layers.Dense(2, activation="softmax", name="dense"),
        ]
    )


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(DATA / "keras_2_15.npz") as data:
        return dict(data)


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("name", ["keras_2_15.h5", "keras_2_15_model.h5", "keras_2_15_frozen.h5"])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_file_of_keras_loads(name: str, by_name: bool, frozen: bool, golden: dict[str, np.ndarray]) -> None:
    # Keras orders the weights of a frozen inner model otherwise; whichever order the file has, each finds its place.
    net = model()
    net.get_layer("inner").trainable = not frozen
    net.load_weights(DATA / name, by_name=by_name)
    np.testing.assert_allclose(net.predict(golden["x"], verbose=0), golden["y"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("frozen", [False, True])
def test_our_file_has_the_layout_of_keras(frozen: bool, tmp_path: Path) -> None:
    net = model()
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
            # Cells have a name of their own in TensorFlow; classic Keras has none.
            plain = [name.replace("lstm_cell/", "").replace("gru_cell/", "") for name in names]
            assert list(ours[layer].attrs["weight_names"]) == plain
            for mine, its in zip(plain, names):
                assert ours[layer][mine].dtype == keras[layer][its].dtype
                np.testing.assert_array_equal(ours[layer][mine], keras[layer][its])
