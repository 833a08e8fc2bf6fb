"""Names, arguments and orders of arguments that the backend of Keras 1 and 2 had: the tables are in `compat`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torchkeras_compat
import torchkeras_compat.backend as K
from torchkeras_compat._core.border import KerasSpellingWarning

X = np.arange(50, dtype="float32").reshape(1, 5, 5, 2)
KERNEL = np.random.RandomState(0).normal(size=(3, 3, 2, 4)).astype("float32")

SAME: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "conv2d": (
        lambda: K.conv2d(X, KERNEL, strides=(2, 2), border_mode="same", dim_ordering="tf", filter_shape=(4, 2, 3, 3)),
        lambda: K.conv2d(X, KERNEL, strides=(2, 2), padding="same", data_format="channels_last"),
    ),
    "conv2d, dilated": (
        lambda: K.conv2d(X, KERNEL, filter_dilation=(2, 2), dim_ordering="default", image_shape=None),
        lambda: K.conv2d(X, KERNEL, dilation_rate=(2, 2)),
    ),
    "conv1d": (
        lambda: K.conv1d(X[0], KERNEL[0], stride=2, border_mode="same"),
        lambda: K.conv1d(X[0], KERNEL[0], 2, "same"),
    ),
    "pool2d": (
        lambda: K.pool2d(X, (2, 2), border_mode="same", dim_ordering="th", pool_mode="avg"),
        lambda: K.pool2d(X, (2, 2), padding="same", data_format="channels_first", pool_mode="avg"),
    ),
    "resize_images": (
        lambda: K.resize_images(X=X, height_factor=2, width_factor=3, dim_ordering="th"),
        lambda: K.resize_images(X, 2, 3, "channels_first"),
    ),
    "spatial_2d_padding": (
        lambda: K.spatial_2d_padding(X, padding=((1, 0), (0, 2)), dim_ordering="th"),
        lambda: K.spatial_2d_padding(X, ((1, 0), (0, 2)), "channels_first"),
    ),
    "asymmetric_spatial_2d_padding": (
        lambda: K.asymmetric_spatial_2d_padding(X, 1, 0, 2, 3, dim_ordering="tf"),
        lambda: K.spatial_2d_padding(X, ((1, 0), (2, 3))),
    ),
    "asymmetric_temporal_padding": (
        lambda: K.asymmetric_temporal_padding(X[0], left_pad=2, right_pad=0),
        lambda: K.temporal_padding(X[0], (2, 0)),
    ),
    "atrous_conv2d": (
        lambda: K.atrous_conv2d(X, KERNEL, 2, border_mode="same"),
        lambda: K.conv2d(X, KERNEL, padding="same", dilation_rate=2),
    ),
    "deconv2d": (
        lambda: K.deconv2d(X, KERNEL, (1, 10, 10, 4), (2, 2), border_mode="same"),
        lambda: K.conv2d_transpose(X, KERNEL.transpose(0, 1, 3, 2).copy(), (1, 10, 10, 4), (2, 2), "same"),
    ),
    "expand_dims": (lambda: K.expand_dims(X, dim=1), lambda: K.expand_dims(X, 1)),
    "one_hot": (lambda: K.one_hot([1, 0], nb_classes=2), lambda: K.one_hot([1, 0], 2)),
    "lesser": (lambda: K.lesser(X, 3.0), lambda: K.less(X, 3.0)),
    "lesser_equal": (lambda: K.lesser_equal(X, 3.0), lambda: K.less_equal(X, 3.0)),
    "moving_average_update": (
        lambda: K.moving_average_update(variable=K.variable(1.0), value=3.0, momentum=0.5),
        lambda: K.moving_average_update(K.variable(1.0), 3.0, 0.5),
    ),
    "batch_get_value": (lambda: K.batch_get_value(xs=[K.variable(2.0)])[0], lambda: K.constant(2.0)),
}


@pytest.mark.filterwarnings("ignore::torchkeras_compat._core.border.KerasSpellingWarning")
@pytest.mark.parametrize("name", SAME)
def test_old_calls(name: str) -> None:
    old, new = SAME[name]
    np.testing.assert_array_equal(old(), new())


def test_an_old_argument_warns_once() -> None:
    with pytest.warns(KerasSpellingWarning, match=r"conv2d\(border_mode=…\): is now padding='same'"):
        K.conv2d(X, KERNEL, border_mode="same")
    K.conv2d(X, KERNEL, border_mode="same")


def test_settings_by_old_arguments() -> None:
    K.set_epsilon(e=1e-4)
    K.set_floatx(floatx="float64")
    assert (K.epsilon(), K.floatx()) == (1e-4, "float64")


@pytest.mark.filterwarnings("ignore::torchkeras_compat._core.border.KerasSpellingWarning")
def test_draws_by_old_arguments() -> None:
    assert K.get_value(K.random_uniform((9,), low=3, high=4)).min() >= 3
    assert K.get_value(K.random_normal((9,), std=0.0)).tolist() == [0] * 9


def test_kernels_in_theanos_order_are_named() -> None:
    with pytest.raises(ValueError, match=r"K\.permute_dimensions\(kernel, \(2, 3, 1, 0\)\)"):
        K.conv2d(X, KERNEL, dim_ordering="th")
    with pytest.raises(ValueError, match=r"merged as in Keras 2\.15"):
        K.ctc_decode(np.ones((1, 2, 3)) / 3, [2], merge_repeated=True)
    with pytest.raises(NotImplementedError, match=r"before Keras 1\.0"):
        K.set_legacy_weight_ordering(True)
    with pytest.raises(TypeError, match="nothing"):
        K.conv2d(X, KERNEL, nothing=1)


def test_blocks_and_questions_of_keras_2_3() -> None:
    with K.control_dependencies([K.ones((1,))]), K.v1_variable_initialization():
        assert K.is_symbolic(K.placeholder((2,)))
    assert not K.is_symbolic(K.ones((2,)))


def test_cross_entropies_take_the_output_first_in_keras_1() -> None:
    target, output = np.array([[0.0, 1.0]], "float32"), np.array([[0.4, 0.6]], "float32")
    pairs = {"binary_crossentropy": target, "categorical_crossentropy": target}
    pairs["sparse_categorical_crossentropy"] = np.array([1])
    for name, labels in pairs.items():
        today = getattr(K, name)(labels, output)
        torchkeras_compat.set_dialect("keras-1")
        old, named = getattr(K, name)(output, labels), getattr(K, name)(output=output, target=labels)
        np.testing.assert_allclose(old, named)
        np.testing.assert_allclose(old, today, rtol=1e-5)
        torchkeras_compat.set_dialect("keras-2.3")
