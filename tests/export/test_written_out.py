"""Layers that torch has no module of, in `to_torch`: they are written out, and compute the same in training too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import torchkeras_compat as tk
from tests.export.support import outputs_of
from torchkeras_compat import layers
from torchkeras_compat.models import Model, Sequential

pytestmark = pytest.mark.filterwarnings("ignore:.*to_torch")


def trained_alike(model: Sequential, x: np.ndarray, steps: int = 3) -> None:
    """Hold the outputs in training to the model's, over some calls that change what a module keeps."""
    module = model.to_torch().train()
    for _ in range(steps):
        expected = np.asarray(model(x, training=True).detach())
        np.testing.assert_allclose(module(torch.tensor(x)).detach().numpy(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(outputs_of(module.eval(), [torch.tensor(x)])[0], model.predict(x), rtol=1e-5, atol=1e-5)


def test_spectral_normalization_divides_at_each_call_in_training() -> None:
    random = np.random.RandomState(2)
    wrapped = [layers.SpectralNormalization(layers.Conv2D(4, 3, strides=2), input_shape=(8, 8, 3), power_iterations=2)]
    wrapped += [layers.SpectralNormalization(layers.Conv2DTranspose(2, 3)), layers.Flatten()]
    wrapped += [layers.SpectralNormalization(layers.Dense(3, "relu"))]
    trained_alike(Sequential(wrapped), random.rand(2, 8, 8, 3).astype("float32"))
    table = Sequential([layers.SpectralNormalization(layers.Embedding(9, 9), input_shape=(3,))])
    trained_alike(table, random.randint(0, 9, (4, 3)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_convolutional_recurrent_layers_give_and_take_states(data_format: str) -> None:
    shape = (4, 6, 5, 2) if data_format == "channels_last" else (4, 2, 6, 5)
    options = {"padding": "same", "data_format": data_format, "return_state": True}
    x = tk.Input(shape)
    first = layers.ConvLSTM2D(3, (3, 2), return_sequences=True, **options)(x)
    second = layers.ConvLSTM2D(3, 3, go_backwards=True, **options)(x, initial_state=first[1:])
    model = Model(x, [*first, *second])
    arrays = np.random.RandomState(4).randn(2, *shape).astype("float32")
    for mine, theirs in zip(outputs_of(model.to_torch(), [torch.tensor(arrays)]), model.predict(arrays), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_convolutional_recurrent_layers_drop_the_same_at_each_step() -> None:
    """With a kernel of ones the outputs tell what was dropped: of 4 gates, for all steps alike."""
    layer = layers.ConvLSTM2D(2, 1, dropout=0.5, return_sequences=True, use_bias=False, input_shape=(3, 20, 20, 1))
    model = Sequential([layer])
    model.set_weights([np.ones((1, 1, 1, 8), "float32"), np.zeros((1, 1, 2, 8), "float32")])
    module = model.to_torch().train()
    gates: list[torch.Tensor] = []
    next(iter(module.children())).of_input.register_forward_hook(lambda *call: gates.append(call[1][0]))
    module(torch.ones(1, 3, 20, 20, 1))
    assert len(gates) == 4
    for drawn in gates:
        assert torch.equal(drawn[0], drawn[1])
        assert torch.equal(drawn[0], drawn[2])
        assert 120 < (drawn[0] == 0).sum() < 280
    assert not torch.equal(gates[0], gates[1])


@pytest.mark.parametrize("axis", [[1, 2], [1], [2], [1, 3]])
def test_layer_normalization_over_any_axes(axis: list[int]) -> None:
    model = Sequential([layers.Conv2D(4, 3, input_shape=(7, 8, 3)), layers.LayerNormalization(axis=axis)])
    random = np.random.RandomState(1)
    model.set_weights([random.randn(*weight.shape).astype("float32") for weight in model.get_weights()])
    x = random.randn(2, 7, 8, 3).astype("float32")
    np.testing.assert_allclose(outputs_of(model.to_torch(), [torch.tensor(x)])[0], model.predict(x), atol=1e-5)


def test_group_normalization_of_pictures_trains() -> None:
    """Torch's kernel for channels that lie last crashes where its input asks for no gradient (2.13)."""
    model = Sequential([layers.GroupNormalization(2, input_shape=(6, 6, 4)), layers.Conv2D(2, 3)])
    x = torch.tensor(np.random.RandomState(0).randn(3, 6, 6, 4).astype("float32"))
    model.to_torch().train()(x).square().mean().backward()
    np.testing.assert_allclose(outputs_of(model.to_torch(), [x])[0], model.predict(x.numpy()), atol=1e-5)


@pytest.mark.parametrize("implementation", [1, 2])
@pytest.mark.parametrize("rates", [(0.0, 0.4), (0.3, 0.2), (0.3, 0.0)])
@pytest.mark.parametrize("reset_after", [None, False, True])
def test_dropout_of_recurrent_layers(reset_after: bool | None, rates: tuple[float, float], implementation: int) -> None:
    """Of many equal samples, outputs in training have the mean, the spread and the products of the model's."""
    tk.utils.set_random_seed(3)
    options: Any = {"dropout": rates[0], "recurrent_dropout": rates[1], "implementation": implementation}
    layer = layers.LSTM(3, **options) if reset_after is None else layers.GRU(3, reset_after=reset_after, **options)
    model = Sequential([layers.Input((4, 2)), layer])
    random = np.random.RandomState(0)
    model.set_weights([random.randn(*weight.shape).astype("float32") for weight in model.get_weights()])
    x = random.randn(1, 4, 2).astype("float32")
    np.testing.assert_allclose(outputs_of(model.to_torch().eval(), [torch.tensor(x)])[0], model.predict(x), atol=1e-5)
    many = np.repeat(x, 20000, 0)
    y = np.asarray(model(many, training=True).detach())
    mine = outputs_of(model.to_torch().train(), [torch.tensor(many)])[0]
    np.testing.assert_allclose(mine.mean(0), y.mean(0), atol=0.02)
    np.testing.assert_allclose(np.cov(mine.T), np.cov(y.T), atol=0.01)


def three_cells() -> list[Any]:
    return [layers.LSTMCell(4), layers.SimpleRNNCell(3), layers.GRUCell(2)]


@pytest.mark.parametrize("masked", [False, True])
def test_cells_in_a_row(masked: bool) -> None:
    random = np.random.RandomState(3)
    x = random.randn(4, 5, 3).astype("float32")
    x[1, 3:], x[2, 1] = 0, 0
    inputs = tk.Input((5, 3))
    y = layers.Masking()(inputs) if masked else inputs
    sequences = layers.RNN(three_cells(), return_sequences=True, go_backwards=True)(y)
    outputs = [sequences, layers.RNN(layers.StackedRNNCells(three_cells()))(y)]
    if not masked:
        outputs += [
            layers.Bidirectional(layers.RNN(three_cells()))(y),
            *layers.RNN(three_cells(), return_state=True)(y),
        ]
    model = Model(inputs, outputs)
    wanted = [leaf for value in model.predict(x) for leaf in (value if isinstance(value, list) else [value])]
    for mine, theirs in zip(outputs_of(model.to_torch(), [torch.tensor(x)]), wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
