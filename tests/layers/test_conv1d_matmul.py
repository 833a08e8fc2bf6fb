"""Small convolutions as products of matrices against torch's convolution, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import torchkeras_compat as keras
from torchkeras_compat import layers as L
from torchkeras_compat.layers import conv1d_matmul as window_products


def numbers(size: int, channels: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x = torch.randn(4, 9, channels, dtype=torch.float64).transpose(1, 2).unsqueeze(2)
    weight = torch.randn(5, channels, 1, size, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    return x, weight, torch.randn(5, dtype=torch.float64)


@pytest.mark.parametrize("size", [1, 2, 3, 9])
@pytest.mark.parametrize("pad", [0, 1, 4])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_a_convolution(size: int, pad: int, channels: int, bias: bool) -> None:
    leaves = [t.requires_grad_() for t in numbers(size, channels)][: 3 if bias else 2]
    x, weight, shift = leaves if bias else (*leaves, None)
    assert window_products.serves(x, weight, pad)
    got = window_products.window_products(x, weight, shift, pad)
    want = F.conv2d(x, weight, shift, padding=(0, pad))
    torch.testing.assert_close(got, want)
    dy = torch.randn_like(want)
    torch.testing.assert_close(torch.autograd.grad(got, leaves, dy), torch.autograd.grad(want, leaves, dy))


def test_large_ones_other_devices_and_half_precision_are_left_to_torch() -> None:
    x, weight, _ = numbers(3)
    assert window_products.serves(x, weight, 0)
    assert not window_products.serves(x[:1].expand(300_000, -1, -1, -1), weight, 0)
    assert not window_products.serves(x.to("meta"), weight.to("meta"), 0)
    assert not window_products.serves(x.half(), weight.half(), 0)
    assert not window_products.serves(x[:0], weight, 0)
    assert not window_products.serves(x, weight.contiguous(), 0)


@pytest.mark.parametrize("options", [{"strides": 2}, {"dilation_rate": 2}, {"groups": 2}])
def test_other_windows_are_left_to_torch(options: dict[str, int]) -> None:
    layer = L.Conv1D(4, 3, **options)  # type: ignore[arg-type]
    layer.build((None, 9, 4))
    assert not layer.as_products(torch.ones(2, 9, 4).transpose(1, 2).unsqueeze(2), 0)


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize(
    ("padding", "jit_compile"), [("valid", False), ("same", False), ("valid", True), ("same", True), ("causal", True)]
)
def test_training_is_the_same_either_way(padding: str, jit_compile: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = np.random.normal(size=(24, 10, 3)).astype("float32"), np.random.normal(size=(24, 2)).astype("float32")
    products = []
    forward = window_products.forward
    monkeypatch.setattr(window_products, "forward", lambda *given: (products.append(given), forward(*given))[1])
    results = []
    for most in (0, window_products.MOST_PRODUCTS):
        monkeypatch.setattr(window_products, "MOST_PRODUCTS", most)
        np.random.seed(3)
        model = keras.Sequential(
            [
                L.Conv1D(4, 3, padding=padding, activation="relu", input_shape=(10, 3)),
                L.Conv1D(5, 3, padding=padding, use_bias=False),
                L.GlobalAveragePooling1D(),
                L.Dense(2),
            ]
        )
        model.compile("adam", "mse", jit_compile=jit_compile)
        model.fit(x, y, batch_size=8, epochs=4, shuffle=False, verbose=0)
        results.append(model.get_weights())
        assert bool(products) == bool(most)
    for got, want in zip(*results):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
