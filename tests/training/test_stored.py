"""`fit`, `evaluate` and `predict` from a file of HDF5: what training on its arrays gives, without the arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat.layers import Dense
from torchkeras_compat.training.data import stored
from torchkeras_compat.utils import HDF5Matrix

DRAW = np.random.RandomState(0)
X, Y = DRAW.randn(50, 6).astype("float32"), DRAW.randint(0, 3, 50)
Z = X.sum(1, keepdims=True).astype("float32")


@pytest.fixture(params=["read whole", "read by batches"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a file, small enough to be held, and again as if it were not."""
    if request.param == "read by batches":
        monkeypatch.setattr(stored, "HELD_BYTES", 0)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"], file["z"] = X, Y, Z
    return str(tmp_path / "data.h5")


def made() -> Any:
    tk.utils.set_random_seed(1)
    model = tk.Sequential([Dense(8, activation="relu", input_dim=6), Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def trained(x: Any, y: Any, **told: Any) -> dict[str, list[float]]:
    history: dict[str, list[float]] = made().fit(x, y, epochs=2, batch_size=8, verbose=0, **told).history
    return history


def same(one: dict[str, list[float]], other: dict[str, list[float]]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("shuffle", ["batch", True, False])
@pytest.mark.parametrize("kind", ["matrix", "data set"])
def test_training(kind: str, shuffle: Any, path: str) -> None:
    with h5py.File(path, "r") as file:
        x = HDF5Matrix(path, "x") if kind == "matrix" else file["x"]
        y = HDF5Matrix(path, "y") if kind == "matrix" else file["y"]
        same(trained(x, y, shuffle=shuffle), trained(X, Y, shuffle=shuffle))


def test_parts_of_a_file_and_a_normalizer(path: str) -> None:
    """As tutorials have it: the first rows to train on, the last ones to validate."""
    calls = []

    def halved(rows: Any) -> Any:
        calls.append(len(rows))
        return rows / 2

    x, x_valid = HDF5Matrix(path, "x", 0, 40, halved), HDF5Matrix(path, "x", 40, 50, halved)
    y, y_valid = HDF5Matrix(path, "y", 0, 40), HDF5Matrix(path, "y", 40)
    told = trained(x, y, validation_data=(x_valid, y_valid), shuffle="batch")
    same(told, trained(X[:40] / 2, Y[:40], validation_data=(X[40:] / 2, Y[40:]), shuffle="batch"))
    assert calls.count(40) == 2  # in each epoch anew, as a function that changes rows by chance needs it


@pytest.mark.parametrize(
    "told",
    [
        {"validation_split": 0.2},
        {"class_weight": {0: 1.0, 1: 4.0, 2: 0.5}},
        {"sample_weight": np.linspace(0, 2, 50)},
        {"validation_split": 0.2, "class_weight": "balanced", "sample_weight": np.ones(50)},
    ],
    ids=", ".join,
)
def test_beside_other_arguments(told: Any, path: str) -> None:
    same(trained(HDF5Matrix(path, "x"), HDF5Matrix(path, "y"), **told), trained(X, Y, **told))
    same(trained(HDF5Matrix(path, "x"), Y, **told), trained(X, Y, **told))


def test_weights_from_the_file(path: str) -> None:
    same(trained(X, Y, sample_weight=HDF5Matrix(path, "z")), trained(X, Y, sample_weight=Z))


def test_evaluate_predict_and_single_batches(path: str) -> None:
    model, x, y = made(), HDF5Matrix(path, "x"), HDF5Matrix(path, "y")
    assert model.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0))
    np.testing.assert_allclose(model.predict(x, batch_size=8, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
    np.testing.assert_allclose(model.predict_on_batch(x), model.predict_on_batch(X), rtol=1e-6)
    assert model.test_on_batch(x, y) == pytest.approx(model.test_on_batch(X, Y))
    assert len(model.predict_classes(x)) == 50


def test_several_inputs_and_outputs(path: str) -> None:
    def history(one: Any, two: Any, y: Any, z: Any) -> Any:
        tk.utils.set_random_seed(2)
        left, right = tk.Input((6,)), tk.Input((1,))
        joined = tk.layers.concatenate([left, right])
        model = tk.Model([left, right], [Dense(3, activation="softmax", name="y")(joined), Dense(1, name="z")(joined)])
        model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
        return model.fit([one, two], [y, z], epochs=2, batch_size=8, verbose=0).history

    names = [HDF5Matrix(path, name) for name in ("x", "z", "y", "z")]
    same(history(*names), history(X, Z, Y, Z))


def test_users_own_models(path: str) -> None:
    class Mine(tk.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    def history(x: Any, z: Any) -> Any:
        tk.utils.set_random_seed(3)
        model = Mine()
        model.compile("sgd", "mse")
        return model.fit(x, z, epochs=2, batch_size=8, verbose=0).history

    same(history(HDF5Matrix(path, "x"), HDF5Matrix(path, "z")), history(X, Z))


def test_errors_name_what_is_wrong(path: str) -> None:
    with pytest.raises(ValueError, match="must have as many rows"):
        trained(HDF5Matrix(path, "x", 0, 40), HDF5Matrix(path, "y"))
    with pytest.raises(ValueError, match=r"\(None, 6\)"):
        trained(HDF5Matrix(path, "z"), HDF5Matrix(path, "y"))
    classes = HDF5Matrix(path, "y", normalizer=lambda rows: rows + 1)
    with pytest.raises(ValueError, match="3"):
        trained(HDF5Matrix(path, "x"), classes)


def test_callbacks_get_the_validation(path: str) -> None:
    seen: list[Any] = []

    class Look(tk.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            x, y = self.validation_data[:2]
            seen.append((np.asarray(self.model.predict(x, verbose=0)).shape, np.asarray(y).shape))

    valid = (HDF5Matrix(path, "x", 40), HDF5Matrix(path, "y", 40))
    trained(X, Y, validation_data=valid, callbacks=[Look()])
    assert seen == [((10, 3), (10, 1))] * 2


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    """Two data sets of 320 MB that nobody has written, so that the file is small and the rows are zeros."""
    with h5py.File(tmp_path / "large.h5", "w") as file:
        for name in ("x", "y"):
            file.create_dataset(name, (80_000, 1000), "float32", chunks=(500, 1000))
    code = f"""
import resource
import numpy as np, torchkeras_compat as tk
from torchkeras_compat.utils import HDF5Matrix
model = tk.Sequential([tk.layers.Dense(4, input_dim=1000), tk.layers.Dense(1000)])
model.compile('sgd', 'mse')
few = np.zeros((2048, 1000), 'float32')
model.fit(few, few, batch_size=1024, verbose=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
x, y = (HDF5Matrix({str(tmp_path / "large.h5")!r}, name) for name in 'xy')
model.fit(x, y, batch_size=1024, shuffle='batch', verbose=0)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 200
