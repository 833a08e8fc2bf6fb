"""The convolutions of Keras 1 beside Conv1D to Conv3D: what their own arguments say."""

from __future__ import annotations

import pytest
import torch

import torchkeras_compat as tk
from torchkeras_compat import layers as L
from torchkeras_compat._core.border import KerasSpellingWarning


@pytest.mark.parametrize(
    ("padding", "wanted"),
    [("valid", 9), ("valid", 10), ("same", 7), ("same", 8)],
)
def test_output_shape_of_keras_1_decides(padding: str, wanted: int) -> None:
    import keras

    with pytest.warns(KerasSpellingWarning) as warned:
        old = keras.layers.Deconvolution2D(
            3,
            3,
            3,
            (None, wanted, wanted, 3),
            subsample=(2, 2),
            border_mode=padding,
            dim_ordering="tf",
            input_shape=(4, 4, 2),
        )
    assert any("output_shape=…): is now output_size=" in str(one.message) for one in warned)
    model = tk.Sequential([old])
    assert type(old).__name__ == "Conv2DTranspose"
    assert model.output_shape == (None, wanted, wanted, 3)
    image = torch.randn(1, wanted, wanted, 3)
    there = L.Conv2D(2, 3, strides=2, padding=padding, use_bias=False)
    there.build(tuple(image.shape))
    there.set_weights(old.get_weights()[:1])
    x = torch.randn(1, 4, 4, 2)
    torch.testing.assert_close((there(image) * x).sum(), (image * model(x)).sum())
    again = type(old).from_config(old.get_config())
    assert again.output_size == (wanted, wanted)


def test_output_shape_with_channels_first_and_volumes() -> None:
    import keras

    with pytest.warns(KerasSpellingWarning):
        old = keras.layers.Deconvolution3D(
            4,
            2,
            2,
            2,
            output_shape=(None, 4, 5, 6, 5),
            subsample=(2, 2, 2),
            dim_ordering="th",
            input_shape=(1, 2, 3, 2),
        )
    assert tk.Sequential([old]).output_shape == (None, 4, 5, 6, 5)


def test_init_fills_both_kernels_of_a_separable_convolution() -> None:
    import keras

    with pytest.warns(KerasSpellingWarning) as warned:
        old = keras.layers.SeparableConvolution2D(
            *(4, 3, 2),
            init="he_normal",
            border_mode="same",
            depth_multiplier=2,
            dim_ordering="tf",
            input_shape=(4, 4, 3),
        )
    assert any("is now depthwise_initializer=pointwise_initializer='he_normal'" in str(one.message) for one in warned)
    model = tk.Sequential([old])
    assert [w.shape for w in model.get_weights()] == [(3, 2, 3, 2), (1, 1, 6, 4), (4,)]
    assert [type(old.depthwise_initializer).__name__, type(old.pointwise_initializer).__name__] == ["HeNormal"] * 2
    with pytest.raises(TypeError, match="init and pointwise_initializer are one argument"):
        keras.layers.SeparableConvolution2D(4, (3, 3), init="he_normal", pointwise_initializer="zeros")


@pytest.mark.filterwarnings("ignore::torchkeras_compat._core.border.KerasSpellingWarning")
def test_dilated_and_locally_connected_layers_of_keras_1() -> None:
    import keras

    images = keras.layers.AtrousConvolution2D(4, 3, 2, atrous_rate=(2, 1), border_mode="same", dim_ordering="tf")
    assert (type(images).__name__, images.kernel_size, images.dilation_rate) == ("Conv2D", (3, 2), (2, 1))
    steps = keras.layers.AtrousConvolution1D(4, 3, atrous_rate=2, subsample_length=1)
    assert (type(steps).__name__, steps.kernel_size, steps.dilation_rate) == ("Conv1D", (3,), (2,))
    places = keras.layers.LocallyConnected2D(4, 3, 2, subsample=(2, 1), bias=False, dim_ordering="th")
    assert (places.kernel_size, places.strides, places.use_bias) == ((3, 2), (2, 1), False)
    assert places.data_format == "channels_first"
    moments = keras.layers.LocallyConnected1D(nb_filter=4, filter_length=3, subsample_length=2)
    assert (moments.filters, moments.kernel_size, moments.strides) == (4, (3,), (2,))
