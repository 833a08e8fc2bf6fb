"""Convolutions against a plain definition, and what their memory looks like."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import numpy as np
import pytest
import torch

from torchkeras_compat import layers, models
from torchkeras_compat._core import border, settings
from torchkeras_compat._core.border import Spelling
from torchkeras_compat.export.emission import NotExportable

CLASSES = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}
SHAPES = {1: (7, 4), 2: (7, 6, 4), 3: (5, 4, 6, 4)}


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, layer: Any) -> np.ndarray:
    """Convolve cell by cell, channels last: the definition, with Keras's rule for 'same' (the odd zero comes after)."""
    rank, groups = x.ndim - 2, layer.groups
    reach = [(k - 1) * d + 1 for k, d in zip(layer.kernel_size, layer.dilation_rate)]
    pads = []
    for n, r, s in zip(x.shape[1:-1], reach, layer.strides):
        total = {"valid": 0, "causal": r - 1, "same": max((-(-n // s) - 1) * s + r - n, 0)}[layer.padding]
        pads.append((total, 0) if layer.padding == "causal" else (total // 2, total - total // 2))
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    sizes = [(n - r) // s + 1 for n, r, s in zip(x.shape[1:-1], reach, layer.strides)]
    y = np.zeros((len(x), *sizes, kernel.shape[-1]))
    inner, outer = x.shape[-1] // groups, kernel.shape[-1] // groups
    for cell in itertools.product(*map(range, sizes)):
        window = tuple(
            slice(i * s, i * s + r, d) for i, s, r, d in zip(cell, layer.strides, reach, layer.dilation_rate)
        )
        seen = x[(slice(None), *window)]
        for g in range(groups):
            part = kernel[..., g * outer : (g + 1) * outer]
            axes = (list(range(1, rank + 2)), list(range(rank + 1)))
            found = np.tensordot(seen[..., g * inner : (g + 1) * inner], part, axes)
            y[(slice(None), *cell, slice(g * outer, (g + 1) * outer))] = found
    return y + bias


OPTIONS: list[dict[str, Any]] = [
    {"kernel_size": 3},
    {"kernel_size": 2, "padding": "same"},
    {"kernel_size": 3, "padding": "same", "strides": 2},
    {"kernel_size": 2, "padding": "same", "strides": 3},
    {"kernel_size": 2, "padding": "same", "dilation_rate": 2},
    {"kernel_size": 1, "strides": 2},
    {"kernel_size": 3, "groups": 2},
    {"kernel_size": 3, "padding": "same", "strides": 2, "groups": 4},
]
CAUSAL: list[dict[str, Any]] = [
    {"kernel_size": 3, "padding": "causal"},
    {"kernel_size": 3, "padding": "causal", "strides": 2},
    {"kernel_size": 2, "padding": "causal", "dilation_rate": 3},
]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("rank", "options"), [*itertools.product(CLASSES, OPTIONS), *((1, o) for o in CAUSAL)], ids=str
)
def test_definition(rank: int, options: dict[str, Any], data_format: str) -> None:
    layer = CLASSES[rank](4, **options, data_format=data_format, bias_initializer="random_normal")
    x = np.random.RandomState(0).standard_normal((2, *SHAPES[rank])).astype("float32")
    given = x if data_format == "channels_last" else np.moveaxis(x, -1, 1)
    y = layer(given).detach().numpy()
    y = y if data_format == "channels_last" else np.moveaxis(y, 1, -1)
    np.testing.assert_allclose(y, convolve(x, *layer.get_weights(), layer), rtol=1e-4, atol=1e-5)


def test_causal_looks_back_only() -> None:
    layer = layers.Conv1D(3, 3, padding="causal", dilation_rate=2)
    x = torch.randn(1, 9, 2)
    later = x.clone()
    later[:, 5:] += 1
    torch.testing.assert_close(layer(x)[:, :5], layer(later)[:, :5])
    assert not torch.equal(layer(x)[:, 5], layer(later)[:, 5])


@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize("options", [{}, {"padding": "same"}, {"padding": "same", "strides": 2}], ids=str)
def test_images_are_never_copied(channels: int, options: dict[str, Any]) -> None:
    layer = layers.Conv2D(8, 3, activation="relu", **options)
    y = layer(torch.randn(2, 8, 8, channels))
    assert y.is_contiguous()  # rows, columns, channels: what Flatten and the next convolution take as it is
    assert layers.MaxPooling2D()(y).is_contiguous()
    assert layers.Conv1D(4, 3, activation="relu", **options)(torch.randn(2, 8, channels)).is_contiguous()


def test_weights_are_channels_last_and_stay_so() -> None:
    layer = layers.Conv2D(8, 3)
    layer(torch.randn(2, 8, 8, 4))
    for same in (layer, copy.deepcopy(layer), layer.to(torch.float64)):
        same.set_weights(same.get_weights())
        assert same.conv.weight.is_contiguous(memory_format=torch.channels_last)
    first = layers.Conv2D(8, 3, data_format="channels_first")
    first(torch.randn(2, 4, 8, 8))
    assert first.conv.weight.is_contiguous()


def test_kernel_is_a_view_in_keras_layout() -> None:
    for layer, shape in ((layers.Conv1D(5, 2), (2, 3, 5)), (layers.Conv2D(5, (2, 4)), (2, 4, 3, 5))):
        layer(torch.zeros(1, *(6,) * (len(shape) - 2), 3))
        assert tuple(layer.kernel.shape) == shape
        with torch.no_grad():
            layer.kernel.value()[..., 1] = 7.0
        assert (layer.conv.weight[1] == 7).all()


def test_the_shape_must_leave_something() -> None:
    with pytest.raises(ValueError, match=r"Conv2D 'conv2d_1': an output of size \(-1, 4\) is less than one cell"):
        layers.Conv2D(2, 5)._build_from((None, 3, 8, 1))
    with pytest.raises(ValueError, match=r"size of axis -1 of the input must be known"):
        layers.Conv2D(2, 3)._build_from((None, 8, 8, None))
    with pytest.raises(ValueError, match=r"the 3 channels of the input must be a multiple of groups=2"):
        layers.Conv2D(2, 3, groups=2)._build_from((None, 8, 8, 3))


def test_image_data_format_is_followed() -> None:
    settings.set_image_data_format("channels_first")
    assert layers.Conv2D(2, 3).data_format == "channels_first"
    assert layers.Conv1D(2, 3).data_format == "channels_last"


def test_any_size_after_the_first() -> None:
    layer = layers.Conv2D(2, 3, padding="same", strides=2)
    assert [tuple(layer(torch.zeros(1, n, n, 1)).shape[1:3]) for n in (8, 9, 4)] == [(4, 4), (5, 5), (2, 2)]


def test_tables_of_old_spellings_go_by_the_class_called(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(layers.Conv2D):
        pass

    monkeypatch.setitem(border.TABLES.spellings, "Conv2D", {"filter_count": Spelling("filters", quiet=True)})
    assert layers.Conv2D(filter_count=3, kernel_size=1).filters == 3  # its constructor is that of a base
    assert Mine(filter_count=3, kernel_size=1).filters == 3
    with pytest.raises(TypeError, match="filter_count"):
        layers.Conv1D(filter_count=3, kernel_size=1)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_several_axes_of_samples(rank: int, data_format: str) -> None:
    """`(batch, frames, …)`: each frame is convolved by itself, as `keras.layers.Conv2D` of Keras 2.15 says."""
    options: dict[str, Any] = {"padding": "causal" if rank == 1 else "same", "activation": "relu"}
    layer = CLASSES[rank](2, 3, data_format=data_format, **options)
    own = SHAPES[rank] if data_format == "channels_last" else (SHAPES[rank][-1], *SHAPES[rank][:-1])
    symbol = layer(layers.Input((5, *own)))
    x = np.random.default_rng(2).normal(size=(3, 5, *own)).astype("float32")
    y = layer(x)
    assert tuple(symbol.shape)[1:] == tuple(y.shape)[1:] == layer.compute_output_shape((None, 5, *own))[1:]
    torch.testing.assert_close(y[:, 2], layer(x[:, 2]))
    assert (layer.input_spec.min_ndim, layer.input_spec.ndim) == (rank + 2, None)
    with pytest.raises(ValueError, match=f"must have {rank + 2} axes or more"):
        layer._check_rank((None, 4))


def test_training_on_frames() -> None:
    frames = models.Sequential(
        [layers.Conv2D(3, 3, activation="relu", input_shape=(5, 8, 6, 2)), layers.Flatten(), layers.Dense(1)]
    )
    apart = models.Sequential(
        [
            layers.TimeDistributed(layers.Conv2D(3, 3, activation="relu"), input_shape=(5, 8, 6, 2)),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    apart.set_weights(frames.get_weights())
    x, y = np.random.default_rng(3).normal(size=(6, 5, 8, 6, 2)).astype("float32"), np.arange(6.0)[:, None]
    losses = []
    for model in (frames, apart):
        model.compile("sgd", "mse")
        losses.append(model.fit(x, y, epochs=3, batch_size=2, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    with pytest.raises(NotExportable, match="several axes of samples"):
        frames.to_torch()


# --- convolution_op, which subclasses call and write anew ------------------------------------------------------------


class Standardized(layers.Conv2D):  # type: ignore[misc]
    """Standardizes the kernel, as the documentation of Keras 2.15 has it for an example."""

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        mean = kernel.mean((0, 1, 2), keepdim=True)
        variance = ((kernel - mean) ** 2).mean((0, 1, 2), keepdim=True)
        return super().convolution_op(inputs, (kernel - mean) / torch.sqrt(variance + 1e-10))


@pytest.mark.parametrize("options", [{}, {"padding": "same", "strides": 2}, {"use_bias": False, "dilation_rate": 2}])
def test_convolution_op_written_anew(options: dict[str, Any]) -> None:
    x = np.random.RandomState(0).randn(2, 6, 6, 3).astype("float32")
    layer = Standardized(4, 3, activation="relu", bias_initializer="ones", **options)
    y = layer(x).detach()
    kernel = layer.get_weights()[0]
    standard = (kernel - kernel.mean((0, 1, 2))) / np.sqrt(kernel.var((0, 1, 2)) + 1e-10)
    plain = layers.Conv2D(4, 3, activation="relu", **options)
    plain.build((None, 6, 6, 3))
    plain.set_weights([standard, *layer.get_weights()[1:]])
    np.testing.assert_allclose(y, plain(x).detach(), rtol=1e-4, atol=1e-5)
    model = models.Sequential([layers.InputLayer((6, 6, 3)), layer, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, np.ones((2, 1)), verbose=0)
    assert not np.allclose(layer.get_weights()[0], kernel)  # gradients flow through what the method computes


@pytest.mark.parametrize("padding", ["causal", "same", "valid"])
def test_convolution_op_called_by_hand(padding: str) -> None:
    class Masked(layers.Conv1D):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.mask = self.add_weight(name="mask", shape=self.kernel.shape, initializer="ones", trainable=False)

        def convolution_op(self, inputs: Any, kernel: Any) -> Any:
            return super().convolution_op(inputs, kernel * self.mask)

    x = np.random.RandomState(0).randn(2, 5, 3).astype("float32")
    layer, plain = Masked(2, 3, padding=padding), layers.Conv1D(2, 3, padding=padding)
    y = layer(x).detach()
    plain.build((None, 5, 3))
    plain.set_weights(layer.get_weights()[:2])
    np.testing.assert_allclose(y, plain(x).detach(), rtol=1e-5, atol=1e-6)
    if padding != "causal":
        by_hand = plain.convolution_op(torch.as_tensor(x), plain.kernel) + plain.bias
        np.testing.assert_allclose(by_hand.detach(), y, rtol=1e-5, atol=1e-6)
