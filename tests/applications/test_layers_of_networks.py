"""LayerScale and CustomScaleLayer, which networks of ImageNet bring along: numbers, gradients and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import torchkeras_compat as tk
from torchkeras_compat import applications

LayerScale = applications.convnext.LayerScale
CustomScaleLayer = applications.inception_resnet_v2.CustomScaleLayer

X = np.random.RandomState(0).standard_normal((2, 4, 3)).astype("float32")
Y = np.random.RandomState(1).standard_normal((2, 4, 3)).astype("float32")


@pytest.mark.parametrize("start", [1e-6, 0.5, 2])
def test_layer_scale(start: float) -> None:
    """Touvron et al., 2021: each feature times a weight, all of which are the same at first."""
    layer = LayerScale(start, 3)
    x = tk.backend.constant(X).requires_grad_()
    y = layer(x)
    np.testing.assert_allclose(y.detach(), X * np.float32(start), rtol=1e-6)
    assert [tuple(weight.shape) for weight in layer.trainable_weights] == [(3,)]
    (y * tk.backend.constant(Y)).sum().backward()
    np.testing.assert_allclose(x.grad, Y * np.float32(start), rtol=1e-6)
    gradient = layer.gamma.grad
    assert gradient is not None
    np.testing.assert_allclose(gradient, (X * Y).sum((0, 1)), rtol=1e-5)


def test_layer_scale_trains_as_the_formula_says() -> None:
    model = tk.Sequential([LayerScale(0.5, 3, input_shape=(4, 3))])
    model.compile(tk.optimizers.SGD(0.1), "mse")
    gamma = np.full(3, 0.5)
    for _ in range(5):
        model.train_on_batch(X, Y)
        gamma = gamma - 0.1 * 2 * ((X * gamma - Y) * X).sum((0, 1)) / X.size
    np.testing.assert_allclose(model.get_weights()[0], gamma, rtol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 0.17, 0])
def test_custom_scale_layer(scale: float) -> None:
    """Szegedy et al., 2016, section 3.3: what a block finds is scaled down before it is added."""
    np.testing.assert_allclose(CustomScaleLayer(scale)([X, Y]), X + np.float32(scale) * Y, rtol=1e-5, atol=1e-6)


def test_they_take_the_arguments_of_every_layer() -> None:
    layer = LayerScale(0.1, 3, name="scaled", trainable=False)
    layer.build((None, 3))
    assert (layer.name, len(layer.trainable_weights), len(layer.weights)) == ("scaled", 0, 1)
    assert LayerScale.from_config(layer.get_config()).get_config() == layer.get_config()
    again = CustomScaleLayer.from_config(CustomScaleLayer(0.3, name="join").get_config())
    assert (again.name, again.scale) == ("join", 0.3)


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_they_are_read_from_files(tmp_path: Path, ending: str) -> None:
    x = tk.layers.Input((3,))
    model = tk.models.Model(x, CustomScaleLayer(0.5)([x, LayerScale(0.1, 3)(x)]))
    model.save(str(tmp_path / f"m.{ending}"))
    read = tk.models.load_model(str(tmp_path / f"m.{ending}"), compile=False)
    np.testing.assert_allclose(read.predict(np.ones((1, 3)), verbose=0), np.full((1, 3), 1.05), rtol=1e-6)
