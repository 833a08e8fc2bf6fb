"""SpectralNormalization: what its kernel becomes, when it stays, and what has none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import layers as L


def test_the_largest_singular_value_becomes_one() -> None:
    keras.utils.set_random_seed(1)
    layer = L.SpectralNormalization(L.Conv2D(4, 3), power_iterations=50)
    layer(torch.ones(1, 5, 5, 2), training=True)
    kernel = layer.layer.kernel.numpy().reshape(-1, 4)
    assert np.linalg.norm(kernel, 2) == pytest.approx(1, rel=1e-4)
    layer(torch.ones(1, 5, 5, 2))
    np.testing.assert_array_equal(layer.layer.kernel.numpy().reshape(-1, 4), kernel)


def test_a_kernel_of_zeros_stays() -> None:
    layer = L.SpectralNormalization(L.Dense(3, kernel_initializer="zeros"))
    layer._build_from((None, 2))
    before = layer.get_weights()
    assert not layer(torch.ones(1, 2), training=True).any()
    for old, new in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_fit_trains_under_mixed_precision() -> None:
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = keras.Sequential([L.InputLayer((3,)), L.SpectralNormalization(L.Dense(1))])
    keras.mixed_precision.set_global_policy("float32")
    model.compile(keras.optimizers.SGD(0.01), "mse")
    x = np.random.RandomState(2).randn(16, 3).astype("float32")
    before = model.get_weights()
    model.fit(x, x.sum(1), epochs=2, verbose=0)
    assert all(not np.array_equal(old, new) for old, new in zip(before, model.get_weights()))
    assert {w.dtype for w in model.weights} == {torch.float32}


def test_a_layer_without_a_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must have a kernel or embeddings; Flatten 'flatten.*has no weights"):
        L.SpectralNormalization(L.Flatten())(torch.ones(1, 2, 3))
