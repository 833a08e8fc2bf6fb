"""Functions and losses of users in `.keras` archives, as Keras 3.15.1 writes them and, alone, reads them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import layers

X = np.random.RandomState(0).randn(6, 4).astype("float32")


def twice(x: Any) -> Any:
    return 2 * x


class Weighted(tk.losses.Loss):  # type: ignore[misc]
    def __init__(self, factor: float = 2.0, name: str = "weighted", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.factor = factor

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.factor * (y_true - y_pred) ** 2

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


@pytest.fixture(autouse=True)
def _dialect() -> None:
    tk.set_dialect("keras-2.15")


def written(model: Any, folder: Path) -> Any:
    model.save(folder / "net.keras")
    with zipfile.ZipFile(folder / "net.keras") as archive:
        return json.loads(archive.read("config.json"))


@pytest.mark.parametrize("registered", [True, False])
def test_an_activation_of_a_users(registered: bool, tmp_path: Path) -> None:
    scope = {"mine>twice" if registered else "twice": twice}
    with tk.utils.custom_object_scope(scope):
        model = tk.Sequential([tk.Input((4,)), layers.Dense(3, twice), layers.Activation(twice), layers.Dense(1)])
        _, dense, activation, last = written(model, tmp_path)["config"]["layers"]
        again = tk.models.load_model(tmp_path / "net.keras", compile=False)
    (name,) = scope
    told = {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    assert [dense["config"]["activation"], activation["config"]["activation"]] == [told, told]
    assert last["config"]["activation"] == "linear"
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_the_reduction_of_a_users_loss(tmp_path: Path) -> None:
    """Keras 3.15.1 knows no 'auto': «Invalid value for argument `reduction`»."""
    model = tk.Sequential([tk.Input((4,)), layers.Dense(1)])
    model.compile("sgd", Weighted(3.0))
    model.fit(X, X[:, :1], verbose=0)
    told = written(model, tmp_path)["compile_config"]["loss"]["config"]
    assert told == {"factor": 3.0, "name": "weighted", "reduction": "sum_over_batch_size"}
    again = tk.models.load_model(tmp_path / "net.keras", custom_objects={"Weighted": Weighted})
    assert again.evaluate(X, X[:, :1], verbose=0) == model.evaluate(X, X[:, :1], verbose=0)
