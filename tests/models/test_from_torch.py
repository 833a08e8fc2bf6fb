"""`from_torch`: chains of torch modules as Keras layers, with their weights and outputs."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import torchkeras_compat as tk
from torchkeras_compat.layers import TorchModuleWrapper
from torchkeras_compat.models import from_torch

# A module, the shape of a sample, and the layers that stand for it.
MODULES: list[tuple[Any, tuple[int, ...], str]] = [
    (lambda: nn.Linear(4, 3), (4,), "Dense"),
    (lambda: nn.Linear(4, 3, bias=False), (5, 4), "Dense"),
    (lambda: nn.Conv1d(3, 4, 3), (3, 8), "Conv1D"),
    (lambda: nn.Conv1d(3, 4, 3, padding=2, dilation=2), (3, 8), "ZeroPadding1D Conv1D"),
    (lambda: nn.Conv2d(4, 6, (3, 2), stride=2, groups=2, bias=False), (4, 8, 9), "Conv2D"),
    (lambda: nn.Conv2d(3, 4, 3, padding=1), (3, 6, 6), "ZeroPadding2D Conv2D"),
    (lambda: nn.Conv2d(3, 4, (3, 5), padding="same"), (3, 6, 6), "Conv2D"),
    (lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), (3, 6, 6), "TorchModuleWrapper"),
    (lambda: nn.Conv2d(3, 4, 3, stride=2, dilation=2), (3, 9, 9), "TorchModuleWrapper"),
    (lambda: nn.Conv3d(2, 3, 2, padding=(1, 0, 1)), (2, 4, 4, 4), "ZeroPadding3D Conv3D"),
    (lambda: nn.ConvTranspose1d(3, 2, 4, stride=3), (3, 5), "Conv1DTranspose"),
    (
        lambda: nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1),
        (3, 4, 4),
        "Conv2DTranspose Cropping2D",
    ),
    (lambda: nn.ConvTranspose2d(3, 2, 2, stride=3), (3, 4, 4), "Conv2DTranspose"),
    (lambda: nn.ConvTranspose2d(4, 2, 2, groups=2), (4, 4, 4), "TorchModuleWrapper"),
    (lambda: nn.ConvTranspose3d(2, 3, 2, stride=2, bias=False), (2, 3, 3, 3), "Conv3DTranspose"),
    (lambda: nn.MaxPool1d(2), (3, 7), "MaxPooling1D"),
    (lambda: nn.MaxPool2d((2, 3), stride=2), (3, 7, 8), "MaxPooling2D"),
    (lambda: nn.MaxPool2d(3, stride=2, padding=1), (3, 7, 8), "TorchModuleWrapper"),
    (lambda: nn.MaxPool3d(2), (2, 4, 4, 4), "MaxPooling3D"),
    (lambda: nn.AvgPool1d(3, stride=1), (3, 7), "AveragePooling1D"),
    (lambda: nn.AvgPool2d(2), (3, 6, 6), "AveragePooling2D"),
    (lambda: nn.AvgPool2d(2, ceil_mode=True), (3, 7, 7), "TorchModuleWrapper"),
    (lambda: nn.AdaptiveAvgPool2d(1), (3, 6, 5), "GlobalAveragePooling2D"),
    (lambda: nn.AdaptiveAvgPool2d((2, 1)), (3, 6, 5), "TorchModuleWrapper"),
    (lambda: nn.AdaptiveMaxPool1d(1), (3, 6), "GlobalMaxPooling1D"),
    (lambda: nn.BatchNorm1d(4), (4,), "BatchNormalization"),
    (lambda: nn.BatchNorm1d(4, affine=False), (4, 5), "BatchNormalization"),
    (lambda: nn.BatchNorm2d(3, eps=1e-3, momentum=0.3), (3, 4, 4), "BatchNormalization"),
    (lambda: nn.BatchNorm2d(3, track_running_stats=False), (3, 4, 4), "TorchModuleWrapper"),
    (lambda: nn.LayerNorm(4), (5, 4), "LayerNormalization"),
    (lambda: nn.LayerNorm((5, 4), eps=1e-3), (5, 4), "LayerNormalization"),
    (lambda: nn.LayerNorm(4, elementwise_affine=False), (4,), "LayerNormalization"),
    (lambda: nn.GroupNorm(2, 4), (4, 3, 3), "GroupNormalization"),
    (lambda: nn.InstanceNorm2d(3), (3, 4, 4), "TorchModuleWrapper"),
    (lambda: nn.Dropout(0.3), (4,), "Dropout"),
    (lambda: nn.Dropout2d(0.3), (3, 4, 4), "SpatialDropout2D"),
    (lambda: nn.AlphaDropout(0.3), (4,), "AlphaDropout"),
    (lambda: nn.Flatten(), (3, 4, 5), "Flatten"),
    (lambda: nn.Flatten(2), (3, 4, 5), "TorchModuleWrapper"),
    (lambda: nn.Unflatten(1, (2, 6)), (12,), "Reshape"),
    (lambda: nn.Upsample(scale_factor=2), (3, 4, 4), "UpSampling2D"),
    (lambda: nn.Upsample(scale_factor=(2, 3), mode="bilinear"), (3, 4, 4), "UpSampling2D"),
    (lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), (3, 4, 4), "TorchModuleWrapper"),
    (lambda: nn.ZeroPad2d((1, 2, 3, 0)), (3, 4, 4), "ZeroPadding2D"),
    (lambda: nn.LSTM(3, 4, batch_first=True), (6, 3), "LSTM"),
    (lambda: nn.LSTM(3, 4, 2, batch_first=True, dropout=0.2, bidirectional=True), (6, 3), "B Dropout B"),
    (lambda: nn.GRU(3, 4, 2, batch_first=True), (6, 3), "GRU GRU"),
    (lambda: nn.GRU(3, 4, batch_first=True, bias=False), (6, 3), "GRU"),
    (lambda: nn.RNN(3, 4, batch_first=True, nonlinearity="relu"), (6, 3), "SimpleRNN"),
    (lambda: nn.RNN(3, 4, batch_first=True, bidirectional=True), (6, 3), "B"),
    (lambda: nn.LSTM(3, 4, batch_first=True, proj_size=2), (6, 3), "TorchModuleWrapper"),
    (lambda: nn.PReLU(), (4, 3), "PReLU"),
    (lambda: nn.PReLU(4), (4, 3, 3), "PReLU"),
    (lambda: nn.LeakyReLU(0.2), (4,), "LeakyReLU"),
    (lambda: nn.ELU(0.7), (4,), "ELU"),
    (lambda: nn.ReLU6(), (4,), "ReLU"),
    (lambda: nn.Softmax(dim=1), (4,), "Activation"),
    (lambda: nn.Softmax(dim=1), (4, 3, 3), "Softmax"),
    (lambda: nn.GELU(), (4,), "Activation"),
    (lambda: nn.GELU(approximate="tanh"), (4,), "TorchModuleWrapper"),
    (lambda: nn.Softplus(), (4,), "Activation"),
    (lambda: nn.Softplus(beta=2), (4,), "TorchModuleWrapper"),
    *[
        (kind, (4,), "Activation")
        for kind in (nn.ReLU, nn.SELU, nn.Mish, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softsign, nn.Identity)
    ],
    (lambda: nn.Hardsigmoid(), (4,), "TorchModuleWrapper"),
]


def settled(module: nn.Module) -> nn.Module:
    """Return a module whose weights and statistics are not trivial, as it predicts."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.1, 0.9)
    return module.eval()


def expect_same(model: Any, module: nn.Module, x: torch.Tensor) -> None:
    wanted = module(x)
    wanted = wanted[0] if isinstance(wanted, tuple) else wanted
    np.testing.assert_allclose(model.predict(x.numpy()), wanted.detach().numpy(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(model(x), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # of torch, on the CPU
@pytest.mark.parametrize("dialect", ["keras-2.3", "keras-2.15", "keras-1"])
@pytest.mark.parametrize(("make", "shape", "kinds"), MODULES)
def test_each_module(make: Any, shape: tuple[int, ...], kinds: str, dialect: str) -> None:
    tk.set_dialect(dialect)
    torch.manual_seed(1)
    module = settled(make())
    model = from_torch(module, shape)
    names = " ".join(type(layer).__name__ for layer in model.layers).replace("Bidirectional", "B")
    assert names == kinds
    expect_same(model, module, torch.randn(3, *shape))


def convolutional() -> nn.Sequential:
    body = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2))
    parts = [("stem", nn.Conv2d(3, 4, 3)), ("act", nn.GELU()), ("body", body), ("flat", nn.Flatten())]
    return nn.Sequential(OrderedDict([*parts, ("head", nn.Linear(54, 5)), ("prob", nn.Softmax(dim=-1))]))


def test_a_chain_with_a_chain_in_it() -> None:
    module = settled(convolutional())
    model = from_torch(module, (3, 8, 8), name="net")
    assert model.name == "net"
    assert [layer.name for layer in model.layers if layer.name in ("stem", "act", "flat", "head", "prob")] == [
        "stem",
        "act",
        "flat",
        "head",
        "prob",
    ]
    expect_same(model, module, torch.randn(2, 3, 8, 8))


def test_there_and_back() -> None:
    torch.manual_seed(2)
    module, x = settled(convolutional()), torch.randn(4, 3, 8, 8)
    again = from_torch(module, (3, 8, 8)).to_torch()
    assert type(again) is nn.Sequential
    torch.testing.assert_close(again(x), module(x))
    kinds = [type(part) for part in again if type(part) is not nn.ZeroPad2d]
    assert kinds == [type(part) for part in module.modules() if not isinstance(part, nn.Sequential)]


def test_back_and_there() -> None:
    model = tk.Sequential(
        [
            tk.layers.Conv2D(4, 3, activation="relu", input_shape=(6, 6, 2)),
            tk.layers.MaxPooling2D(),
            tk.layers.Flatten(),
            tk.layers.Dense(3, activation="softmax"),
        ]
    )
    again = from_torch(model.to_torch(), (6, 6, 2))
    x = np.random.RandomState(3).rand(5, 6, 6, 2).astype("float32")
    np.testing.assert_allclose(again.predict(x), model.predict(x), atol=1e-6)
    assert not any(isinstance(layer, TorchModuleWrapper) for layer in again.layers)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), (None, 4)),
        (lambda: nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2)), (None, None)),
        (lambda: nn.LSTM(3, 4, batch_first=True), (None, None, 3)),
    ],
)
def test_shapes_that_the_first_module_says(make: Any, shape: Any) -> None:
    module = settled(make())
    model = from_torch(module)
    assert model.input_shape == shape
    first = next(iter(module.modules()))
    indices = isinstance(next((m for m in module.children()), first), nn.Embedding)
    x = torch.randint(0, 9, (3, 5)) if indices else torch.randn(3, 5, 3)[:, :, : shape[-1]]
    expect_same(model, module, torch.randn(3, 4) if len(shape) == 2 and not indices else x)


def test_it_trains_and_the_module_stays() -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    before = [p.clone() for p in module.parameters()]
    model = from_torch(module)
    model.compile("adam", "mse")
    x = np.random.RandomState(4).rand(32, 4).astype("float32")
    history = model.fit(x, x.sum(1), epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), before))


def test_moving_statistics_follow_as_in_torch() -> None:
    module, x = nn.Sequential(nn.BatchNorm2d(3, momentum=0.3)), torch.randn(6, 3, 4, 4)
    model = from_torch(module, (3, 4, 4))
    module.train()
    for _ in range(3):
        module(x)
        model(x, training=True)
    torch.testing.assert_close(model(x), module.eval()(x), rtol=1e-4, atol=1e-4)


def test_frozen_weights_and_types() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)).double()
    module[0].requires_grad_(False)
    model = from_torch(module)
    assert [layer.trainable for layer in model.layers] == [False, True]
    assert {weight.dtype for weight in model.weights} == {torch.float64}
    x = torch.randn(3, 4, dtype=torch.float64)
    torch.testing.assert_close(model(x), module(x))


def test_what_is_refused() -> None:
    with pytest.raises(TypeError, match=r"from_torch.*module must be a torch.nn.Module"):
        from_torch([nn.Linear(2, 2)])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one module"):
        from_torch(nn.Sequential())
    with pytest.raises(ValueError, match=r"Conv2d takes samples of several shapes.*input_shape=\(3, 32, 32\)"):
        from_torch(nn.Sequential(nn.Conv2d(3, 4, 3)))
