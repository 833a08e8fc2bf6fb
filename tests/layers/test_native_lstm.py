"""The compiled walk of small LSTMs against the plain definition, in float64 where numbers could drift apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat import activations
from torchkeras_compat import layers as L
from torchkeras_compat.layers.recurrent import native as recurrent_native
from torchkeras_compat.layers.recurrent.formulas import LSTMFormula
from torchkeras_compat.layers.recurrent.native import MOST_UNITS, NativeLSTM, native_lstm
from torchkeras_compat.layers.recurrent.products import WrittenProduct

PLAIN = LSTMFormula(activations.tanh, activations.sigmoid)
NATIVE = NativeLSTM(activations.tanh, activations.sigmoid)


@pytest.fixture(autouse=True)
def there_is_a_compiler() -> None:
    if native_lstm(16) is None:
        pytest.skip("no C++ compiler was found; LSTM layers run by oneDNN then")


def numbers(steps: int, batch: int, units: int, scale: float) -> tuple[torch.Tensor, ...]:
    shapes = ((steps, batch, 4 * units), (4 * units, units), (batch, units), (batch, units))
    return tuple(torch.randn(s) * f for s, f in zip(shapes, (scale, units**-0.5, 1.0, 1.0)))


@pytest.mark.parametrize("units", range(16, MOST_UNITS + 1, 16))
@pytest.mark.parametrize("batch", [1, 3, 4, 9])
@pytest.mark.parametrize("given", ["all", "last", "both"])
def test_walk_and_gradients_equal_the_definition(units: int, batch: int, given: str) -> None:
    z, r, h, c = numbers(5, batch, units, 1.5)
    leaves = [t.double().requires_grad_() for t in (z, r, h, c)]
    all_h, all_c = (torch.stack(kind) for kind in PLAIN.walk(leaves[0], leaves[1], None, leaves[2:]))
    dy = torch.randn(5, batch, units) if given != "last" else None
    dh, dc = (torch.randn(batch, units) if given != "all" else None for _ in range(2))
    pairs = [(all_h, dy), (all_h[-1], dh), (all_c[-1], dc)]
    outputs, grads = zip(*((out, g.double()) for out, g in pairs if g is not None))
    expected = torch.autograd.grad(outputs, leaves, grads)

    work = z.clone()
    (got_h, got_c), saved = NATIVE.forward(work, WrittenProduct(r), None, (h, c))
    dz, dr, _, starts = NATIVE.backward(work, [got_h, got_c, *saved], WrittenProduct(r), [dy, dh, None, dc], True)
    for got, want in zip((got_h[1:], got_c[1:], dz, dr, *starts), (all_h, all_c, *expected)):
        torch.testing.assert_close(got.double(), want, rtol=2e-5, atol=2e-5)


def test_extreme_inputs_saturate_and_small_ones_keep_their_digits() -> None:
    z = torch.zeros(1, 1, 64)
    z[..., :16], z[..., 48:] = 200.0, 200.0  # input and output gates open
    z[..., 16:32] = -200.0
    z[..., 32:48] = torch.tensor(
        [0.0, 1e-6, 1e-3, -1e-3, 0.1, 0.624, 0.626, 1.0, 3.0, -3.0, 9.0, 20.0, -20.0, 90.0, -90.0, 300.0]
    )
    wanted = torch.tanh(torch.tanh(z[0, 0, 32:48].double()))
    (h, _), _ = NATIVE.forward(z, WrittenProduct(torch.zeros(64, 16)), None, (None, None))
    torch.testing.assert_close(h[1, 0].double(), wanted, rtol=3e-7, atol=0)


def test_a_model_of_small_layers_trains_as_eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = np.random.normal(size=(30, 6, 5)).astype("float32"), np.random.normal(size=(30, 2)).astype("float32")
    called = []
    run = recurrent_native._call
    monkeypatch.setattr(recurrent_native, "_call", lambda name, *rest: (called.append(name), run(name, *rest)))
    results = []
    for jit_compile in (False, True):
        np.random.seed(1)
        model = keras.Sequential(
            [L.LSTM(32, return_sequences=True, input_shape=(6, 5)), L.LSTM(16, use_bias=False), L.Dense(2)]
        )
        model.compile("adam", "mse", jit_compile=jit_compile)
        np.random.seed(2)
        history = model.fit(x, y, batch_size=10, epochs=4, verbose=0)
        results.append((history.history["loss"], model.get_weights()))
    assert "lstm_walk_back" in called
    (losses, weights), (jit_losses, jit_weights) = results
    np.testing.assert_allclose(jit_losses, losses, rtol=1e-4)
    for got, want in zip(jit_weights, weights):
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("units", [8, 17, 80, 128])
def test_other_sizes_are_left_to_onednn(units: int) -> None:
    assert native_lstm(units) is None


@pytest.mark.usefixtures("uncompiled")
def test_a_capture_may_be_the_first_to_ask() -> None:
    recurrent_native._works.cache_clear()
    model = keras.Sequential([L.LSTM(16, return_sequences=True, input_shape=(4, 3)), L.LSTM(16), L.Dense(1)])
    model.compile("sgd", "mse", jit_compile=True)
    model.fit(np.ones((8, 4, 3), "float32"), np.ones((8, 1), "float32"), verbose=0)
    assert all(model._steps["train"].compiled._graphs.values())
