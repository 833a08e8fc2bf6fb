"""Layers of users that leave `get_config` to `Layer`: what it tells, and that models of them come back from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import layers

X = np.random.RandomState(0).randn(5, 6).astype("float32")


class Units(layers.Layer):  # type: ignore[misc]
    """The layer of most guides: `__init__` takes an argument and no `**kwargs`."""

    def __init__(self, units: int, rate: float = 0.1) -> None:
        super().__init__()
        self.units = units

    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform")

    def call(self, inputs: Any) -> Any:
        return inputs @ self.w


class Fixed(layers.Layer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name="fixed")
        self.dense = layers.Dense(3)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


class Named(layers.Layer):  # type: ignore[misc]
    def __init__(self, units: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.dense = layers.Dense(units)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


class Around(layers.Layer):  # type: ignore[misc]
    """Takes layers, which its configuration holds as configurations."""

    def __init__(self, layer: Any, others: Any = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer, self.others = layer, list(others)

    def call(self, inputs: Any) -> Any:
        y = self.layer(inputs)
        for other in self.others:
            y = other(y)
        return y


OWN = {cls.__name__: cls for cls in (Units, Fixed, Named, Around)}


@pytest.fixture(autouse=True)
def _dialect() -> None:
    tk.set_dialect("keras-2.15")


def test_a_configuration_has_what_the_constructor_takes() -> None:
    """What Keras 2.15 prints; it leaves arguments at their defaults out."""
    assert Units(4).get_config() == {"units": 4, "rate": 0.1}
    assert Units(4, rate=0.5).get_config() == {"units": 4, "rate": 0.5}
    assert Fixed().get_config() == {}
    assert Named(4, name="it").get_config() == {"name": "it", "units": 4}


@pytest.mark.parametrize("ending", [".h5", ".keras"])
@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: Units(4),
        Fixed,
        lambda: Named(4, name="it"),
        lambda: Around(layers.Dense(4), others=[layers.Dense(3, "relu"), Units(2)]),
    ],
)
def test_models_come_back(make: Any, graph: bool, ending: str, tmp_path: Path) -> None:
    if graph:
        inputs = tk.Input((6,))
        model = tk.Model(inputs, layers.Dense(1)(make()(layers.Dense(5)(inputs))))
    else:
        model = tk.Sequential([tk.Input((6,)), make(), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(tmp_path / f"net{ending}")
    loaded = tk.models.load_model(tmp_path / f"net{ending}", custom_objects=OWN)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    with tk.utils.custom_object_scope(OWN):
        assert tk.models.clone_model(model).count_params() == model.count_params()
