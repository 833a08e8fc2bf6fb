"""Weights that are written and read some rows at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.saving.weight_arrays import PIECE, made_ahead

LAYERS: dict[str, Callable[[], Any]] = {
    "columns": lambda: L.Dense(1501, input_shape=(3001,)),
    "one row a piece": lambda: L.Dense(2_100_000, input_shape=(3,), use_bias=False),
    "rows": lambda: L.Embedding(70_001, 67, input_length=2),
    "gates": lambda: L.LSTM(700, input_shape=(2, 1900)),
    "kernels": lambda: L.Conv2D(512, 3, input_shape=(4, 4, 600)),
    "turned kernels": lambda: L.Conv2DTranspose(512, 3, input_shape=(4, 4, 600)),
}


@pytest.fixture(params=LAYERS)
def model(request: pytest.FixtureRequest) -> Any:
    model = keras.Sequential([LAYERS[request.param]()])
    rng = np.random.default_rng(0)
    model.set_weights([rng.random(w.shape, "float32") for w in model.get_weights()])
    assert max(w.nbytes for w in model.get_weights()) > PIECE
    return model


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_models(model: Any, suffix: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"model{suffix}")
    model.save(path)
    for read, weight in zip(keras.models.load_model(path, compile=False).get_weights(), model.get_weights()):
        np.testing.assert_array_equal(read, weight)


@pytest.mark.parametrize("name", ["classic.h5", "one.weights.h5"])
def test_weights_as_h5py_reads_them(model: Any, name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    model.save_weights(path)
    read: list[np.ndarray[Any, Any]] = []
    with h5py.File(path) as file:
        file.visititems(lambda _, node: read.append(node[()]) if isinstance(node, h5py.Dataset) else None)
    kept = {w.tobytes() for w in model.get_weights()}
    assert {w.tobytes() for w in read} == kept
    before = model.get_weights()
    model.set_weights([np.zeros_like(w) for w in before])
    model.load_weights(path)
    for weight, wanted in zip(model.get_weights(), before):
        np.testing.assert_array_equal(weight, wanted)


@pytest.mark.parametrize("options", [{"chunks": True}, {"compression": "gzip"}, {"dtype": "float64"}, {"dtype": ">f4"}])
def test_files_whose_data_are_of_another_form(options: dict[str, Any], tmp_path: Path) -> None:
    model = keras.Sequential([L.Dense(1501, input_shape=(3001,), use_bias=False)])
    path = str(tmp_path / "model.h5")
    model.save(path)
    with h5py.File(path, "a") as file:
        layer = file["model_weights"][model.layers[0].name]
        name = layer.attrs["weight_names"][0]
        kernel = layer[name][()]
        del layer[name]
        layer.create_dataset(name, data=kernel.round(2) if "compression" in options else kernel, **options)
        kernel = layer[name][()]
    np.testing.assert_array_equal(
        keras.models.load_model(path, compile=False).get_weights()[0], kernel.astype("float32")
    )


@pytest.mark.parametrize("place", [0.01, 0.3, 0.6, 0.99])
def test_a_byte_that_changed_is_found(place: float, tmp_path: Path) -> None:
    model = keras.Sequential([L.Dense(1501, input_shape=(3001,), use_bias=False), L.Dense(1501, use_bias=False)])
    path = tmp_path / "model.keras"
    model.save(str(path))
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("model.weights.h5")
    data = bytearray(path.read_bytes())
    data[info.header_offset + int(info.file_size * (0.05 + 0.9 * place))] ^= 4
    path.write_bytes(data)
    with pytest.raises(ValueError, match="corrupt"):
        keras.models.load_model(str(path), compile=False)


def test_a_file_that_ends_too_early(tmp_path: Path) -> None:
    model = keras.Sequential([L.Dense(1501, input_shape=(3001,), use_bias=False)])
    path = tmp_path / "model.h5"
    model.save(str(path))
    path.write_bytes(path.read_bytes()[: 3 * PIECE // 2])
    with pytest.raises(ValueError, match=r"cut short|ends at"):
        keras.models.load_model(str(path), compile=False)


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 10])
def test_items_come_in_order(count: int, in_thread: bool) -> None:
    assert list(made_ahead(map(str, range(count)), in_thread)) == list(map(str, range(count)))


@pytest.mark.parametrize("in_thread", [False, True])
def test_an_error_comes_where_it_arises(in_thread: bool) -> None:
    items = made_ahead((1 / (2 - i) for i in range(5)), in_thread)
    assert next(items) == 0.5
    assert next(items) == 1
    with pytest.raises(ZeroDivisionError):
        next(items)
