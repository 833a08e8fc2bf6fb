"""The functions of `keras.backend` in Keras 1 that have another name, or none, today.

Source: `keras/backend/tensorflow_backend.py`, Keras 1.2.2.
"""

from __future__ import annotations

from typing import Any

from ... import backend as K
from ..._core.errors import choice


def _format(owner: str, dim_ordering: str) -> str | None:
    orders = {"default": None, "tf": "channels_last", "th": "channels_first"}
    return orders[choice(owner, "dim_ordering", dim_ordering, orders)]


def asymmetric_temporal_padding(x: Any, left_pad: int = 1, right_pad: int = 1) -> Any:
    """Return sequences with zeros before and after them.

    Args:
        x: Sequences.
        left_pad: How many before.
        right_pad: How many after.

    Example:
        >>> tuple(asymmetric_temporal_padding(K.ones((1, 3, 1)), 1, 2).shape)
        (1, 6, 1)
    """
    return K.temporal_padding(x, (left_pad, right_pad))


def asymmetric_spatial_2d_padding(
    x: Any, top_pad: int = 1, bottom_pad: int = 1, left_pad: int = 1, right_pad: int = 1, dim_ordering: str = "default"
) -> Any:
    """Return images with zeros around them.

    Args:
        x: Images.
        top_pad: How many above.
        bottom_pad: How many below.
        left_pad: How many on the left.
        right_pad: How many on the right.
        dim_ordering: `'tf'`, `'th'` or `'default'`.

    Example:
        >>> tuple(asymmetric_spatial_2d_padding(K.ones((1, 2, 2, 1)), 1, 2, 3, 4).shape)
        (1, 5, 9, 1)
    """
    order = _format("asymmetric_spatial_2d_padding", dim_ordering)
    return K.spatial_2d_padding(x, ((top_pad, bottom_pad), (left_pad, right_pad)), data_format=order)


def deconv2d(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    border_mode: str = "valid",
    dim_ordering: str = "default",
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """Return the transposed convolution of images.

    Args:
        x: Images.
        kernel: The kernel, `(rows, columns, outputs, inputs)`.
        output_shape: The shape of the result.
        strides: The strides.
        border_mode: `'valid'` or `'same'`.
        dim_ordering: `'tf'`, `'th'` or `'default'`.
        image_shape: Of no effect.
        filter_shape: Of no effect.

    Example:
        >>> tuple(deconv2d(K.ones((1, 2, 2, 3)), K.ones((2, 2, 4, 3)), (1, 4, 4, 4), (2, 2)).shape)
        (1, 4, 4, 4)
    """
    order = _format("deconv2d", dim_ordering)
    return K.conv2d_transpose(x, kernel, output_shape, strides, border_mode, order)


def atrous_conv2d(
    x: Any,
    kernel: Any,
    rate: int = 1,
    border_mode: str = "valid",
    dim_ordering: str = "default",
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """Return the convolution of images whose kernel has gaps.

    Args:
        x: Images.
        kernel: The kernel, `(rows, columns, inputs, outputs)`.
        rate: The distance of the cells under the kernel.
        border_mode: `'valid'` or `'same'`.
        dim_ordering: `'tf'`, `'th'` or `'default'`.
        image_shape: Of no effect.
        filter_shape: Of no effect.

    Example:
        >>> tuple(atrous_conv2d(K.ones((1, 5, 5, 3)), K.ones((2, 2, 3, 4)), 2).shape)
        (1, 3, 3, 4)
    """
    order = _format("atrous_conv2d", dim_ordering)
    return K.conv2d(x, kernel, padding=border_mode, data_format=order, dilation_rate=(rate, rate))


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """Return a gradient of at most a norm; source: `keras/optimizers.py`, Keras 1.2.2.

    Args:
        g: The gradient.
        c: The norm that it may have; 0 for any.
        n: The norm that it has.

    Example:
        >>> clip_norm(K.constant([3., 4.]), 1., 5.).tolist()
        [0.6..., 0.8...]
    """
    return g * K.minimum(K.cast_to_floatx(1.0), c / K.maximum(n, c)) if c > 0 else g
