"""The products of a linear layer are the same by either library, whichever a processor is better off with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as keras
from torchkeras_compat._core import devices, linear_products
from torchkeras_compat._core.linear_products import affine, input_gradient, weight_gradient
from torchkeras_compat.layers.base.linear import Linear, _Recorded

needs_onednn = pytest.mark.skipif(
    not devices.HAS_ONEDNN, reason="a torch without oneDNN multiplies by its other library"
)
# Rows, inputs and outputs: below what pays; broad; tall, which has a way of its own for weights; narrow.
SIZES = [(7, 5, 3), (128, 300, 150), (130, 150, 301), (3000, 64, 96), (2500, 20, 100), (4000, 3000, 1)]


@pytest.fixture
def by_onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_products, "MKL_STAYS_BEHIND", True)


def matrices(rows: int, inputs: int, outputs: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    shapes = ((rows, inputs), (outputs, inputs), (outputs,), (rows, outputs))
    return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)


@needs_onednn
@pytest.mark.usefixtures("by_onednn")
@pytest.mark.parametrize("turned", [False, True], ids=["in order", "with gaps"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_products_are_those_of_doubles(size: tuple[int, int, int], turned: bool) -> None:
    x, w, b, g = matrices(*size)
    expected = [x @ w.t() + b, x @ w.t(), g @ w, g.t() @ x]

    def laid_out(m: torch.Tensor) -> torch.Tensor:
        m = m.float()
        return torch.cat((m, m), 1)[:, : m.shape[1]] if turned else m

    x, w, b, g = laid_out(x), laid_out(w), b.float(), laid_out(g)
    out = torch.empty(w.shape)
    assert weight_gradient(g, x, out=out) is out
    products = [affine(x, w, b), affine(x, w, None), input_gradient(g, w), weight_gradient(g, x)]
    for product, double in zip([*products, out], [*expected, expected[-1]]):
        scale = float(double.abs().max())
        torch.testing.assert_close(product / scale, (double / scale).float(), rtol=0, atol=1e-5)
        assert product.shape == double.shape


@needs_onednn
@pytest.mark.usefixtures("by_onednn")
@pytest.mark.parametrize("axes", [(), (4,)], ids=["rows", "sequences"])
@pytest.mark.parametrize("bias", [True, False])
def test_the_layer_records_the_same_gradients(
    axes: tuple[int, ...], bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Any] = []
    real = _Recorded.apply
    monkeypatch.setattr(_Recorded, "apply", lambda *a: used.append(1) or real(*a))
    mine, torchs = Linear(256, 192, bias=bias), torch.nn.Linear(256, 192, bias=bias)
    torchs.load_state_dict(mine.state_dict())
    x = torch.randn(256, *axes, 256, requires_grad=True)
    results = []
    for module in (mine, torchs):
        y = module(x)
        first = torch.autograd.grad(y.sin().sum(), [x, *module.parameters()], create_graph=True)
        plain_again = torch.autograd.grad(module(x).sin().sum(), [x, *module.parameters()])
        results.append([y, *first, *plain_again, *torch.autograd.grad(first[0].square().sum(), [x, module.weight])])
    assert used == [1, 1]
    for one, other in zip(*results):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=5e-4)  # sums of up to 1,024 numbers


@pytest.mark.parametrize("wrong", [torch.zeros(40000, 255), torch.zeros(40000, 256, dtype=torch.float64)])
def test_what_does_not_fit_is_told_in_torchs_words(wrong: torch.Tensor) -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        Linear(256, 192)(wrong)


@needs_onednn
def test_a_model_trains_alike_by_either(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(512, 300)), rng.integers(0, 10, 512)
    curves = []
    for behind in (False, True):
        monkeypatch.setattr(linear_products, "MKL_STAYS_BEHIND", behind)
        keras.utils.set_random_seed(4)
        model = keras.Sequential(
            [
                keras.layers.Dense(256, activation="relu", input_shape=(300,)),
                keras.layers.Dense(256, activation="tanh"),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        losses = model.fit(x, y, batch_size=128, epochs=3, verbose=0, shuffle=False).history["loss"]
        curves.append([*losses, *model.predict(x, verbose=0).ravel()])
    np.testing.assert_allclose(*curves, rtol=1e-4, atol=1e-5)


def test_intels_processors_keep_mkl(monkeypatch: pytest.MonkeyPatch) -> None:
    for maker, capability, behind in (
        ("vendor_id : GenuineIntel", "AVX512", False),
        ("vendor_id : AuthenticAMD", "AVX512", True),
        ("vendor_id : AuthenticAMD", "AVX2", False),
    ):
        monkeypatch.setattr(linear_products, "_maker", lambda maker=maker: maker)
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda capability=capability: capability)
        monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: True)
        monkeypatch.setattr(devices, "HAS_ONEDNN", True)
        assert linear_products._mkl_stays_behind() is behind
