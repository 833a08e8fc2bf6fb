"""Models of scripts that import `tensorflow.keras` or `keras`: their classes carry a dialect, and export alike."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import compat


@pytest.fixture(params=["tensorflow.keras", "keras"])
def keras(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The module that a script imports."""
    compat.install()
    yield importlib.import_module(request.param)
    compat.uninstall()


def chain(keras: Any) -> Any:
    layers = keras.layers
    model = keras.models.Sequential(
        [
            layers.Conv1D(4, 3, activation="relu", input_shape=(6, 3), kernel_regularizer=keras.regularizers.l2(0.01)),
            layers.BatchNormalization(),
            layers.TimeDistributed(layers.Dense(3, kernel_constraint=keras.constraints.MaxNorm(2.0))),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy())
    return model


def graph(keras: Any) -> Any:
    layers = keras.layers
    x = layers.Input((4, 3))
    inner = keras.models.Sequential([layers.Dense(3, input_shape=(4, 3))])
    h = layers.add([layers.Dense(3)(x), inner(x)])
    h = layers.average([layers.maximum([h, x]), layers.Attention()([h, x])])
    model = keras.models.Model(x, layers.Dense(2)(layers.Flatten()(h)))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    return model


@pytest.mark.filterwarnings("ignore:.*moves its variance")
@pytest.mark.parametrize("build", [chain, graph])
def test_to_torch(keras: Any, build: Any) -> None:
    model = build(keras)
    x = np.random.RandomState(0).randn(3, *model.input_shape[1:]).astype("float32")
    net = model.to_torch().eval()
    with torch.no_grad():
        np.testing.assert_allclose(net(torch.from_numpy(x)), model.predict(x, verbose=0), atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*moves its variance")
@pytest.mark.parametrize("build", [chain, graph])
def test_the_source_is_that_of_the_packages_own_classes(keras: Any, build: Any, tmp_path: Path) -> None:
    build(keras).to_torch_source(tmp_path / "of_script.py")
    tk.set_dialect("tf.keras" if keras.__name__.startswith("tensorflow") else "keras-2.3")
    tk.backend.clear_session()
    own = build(tk)
    own.to_torch_source(tmp_path / "own.py")
    assert (tmp_path / "of_script.py").read_text() == (tmp_path / "own.py").read_text()
