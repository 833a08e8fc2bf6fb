"""A layer's activation that is set once the layer is there, as `model.layers[-1].activation = None` in Grad-CAM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from torchkeras_compat import activations, layers, models

IMAGES = np.random.RandomState(0).randn(2, 4, 4, 3).astype("float32")
LAYERS = {
    "Dense": (layers.Dense, (5,), IMAGES),
    "Conv2D": (layers.Conv2D, (5, 3), IMAGES),
    "Conv2DTranspose": (layers.Conv2DTranspose, (5, 3), IMAGES),
    "DepthwiseConv2D": (layers.DepthwiseConv2D, (3,), IMAGES),
    "SeparableConv2D": (layers.SeparableConv2D, (5, 3), IMAGES),
    "LocallyConnected2D": (layers.LocallyConnected2D, (5, 3), IMAGES),
    "EinsumDense": (layers.EinsumDense, ("abcd,de->abce", (None, None, 5)), IMAGES),
    "SimpleRNN": (layers.SimpleRNN, (5,), IMAGES[0]),
    "LSTM": (layers.LSTM, (5,), IMAGES[0]),
    "GRU": (layers.GRU, (5,), IMAGES[0]),
}


@pytest.mark.parametrize("value", [None, "relu", activations.linear, activations.relu])
@pytest.mark.parametrize("name", LAYERS)
def test_an_activation_that_is_assigned(name: str, value: Any) -> None:
    layer_class, arguments, data = LAYERS[name]
    layer = layer_class(*arguments, activation="tanh")
    model = models.Sequential([layers.InputLayer(data.shape[1:]), layer])
    before = model.predict(data, verbose=0)
    layer.activation = value
    other = layer_class(*arguments, activation=value)
    expected = models.Sequential([layers.InputLayer(data.shape[1:]), other])
    expected.set_weights(model.get_weights())
    outputs = model.predict(data, verbose=0)
    np.testing.assert_allclose(outputs, expected.predict(data, verbose=0), rtol=1e-5, atol=1e-6)
    assert np.abs(outputs - before).max() > 1e-3
    assert layer.get_config()["activation"] == other.get_config()["activation"]
