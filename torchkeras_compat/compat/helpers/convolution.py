"""The helpers of `keras.utils.conv_utils`, and of `np_utils` and `layer_utils` before it.

Source: `keras/utils/conv_utils.py` and `layer_utils.py`, Keras 2.3.1; `np_utils.py`, Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._core import border
from ..._core.errors import argument_error, choice, int_tuple
from ..._core.shapes import conv_length

Array = np.ndarray[Any, Any]
_PADDINGS = ("valid", "same", "full")


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """Return a number or some numbers as a tuple of `n`.

    Args:
        value: An integer, or `n` of them.
        n: How many there are to be.
        name: The argument's name, for the error.

    Raises:
        ValueError: Another number of integers, or none.

    Example:
        >>> normalize_tuple(3, 2, 'kernel_size')
        (3, 3)
    """
    return int_tuple("normalize_tuple", name, value, n, minimum=0)


def normalize_padding(value: str) -> str:
    """Return the name of a padding in small letters.

    Args:
        value: `'valid'`, `'same'` or `'causal'`.

    Raises:
        ValueError: Another one.

    Example:
        >>> normalize_padding('SAME')
        'same'
    """
    return choice("normalize_padding", "padding", str(value).lower(), ("valid", "same", "causal"))


@border.translated("conv_output_length")
def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """Return the length that a convolution makes of a length.

    Args:
        input_length: The length; `None` stays.
        filter_size: The size of the kernel.
        padding: `'valid'`, `'same'`, `'causal'` or `'full'`.
        stride: The stride.
        dilation: The dilation.

    Raises:
        ValueError: Another padding.

    Example:
        >>> conv_output_length(28, 3, 'valid', 2)
        13
    """
    choice("conv_output_length", "padding", padding, (*_PADDINGS, "causal"))
    if padding == "full" and input_length is not None:
        input_length += 2 * (filter_size - 1) * dilation  # full is valid behind zeros on both sides
    return conv_length(input_length, filter_size, stride, padding, dilation)


@border.translated("conv_input_length")
def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """Return a length that a convolution makes into `output_length`.

    Args:
        output_length: The length behind the convolution; `None` stays.
        filter_size: The size of the kernel.
        padding: `'valid'`, `'same'` or `'full'`.
        stride: The stride.

    Raises:
        ValueError: Another padding.

    Example:
        >>> conv_input_length(13, 3, 'valid', 2)
        27
    """
    edges = _edges("conv_input_length", filter_size, padding)
    return None if output_length is None else (output_length - 1) * stride - 2 * edges + filter_size


def deconv_length(
    dim_size: int | None,
    stride_size: int,
    kernel_size: int,
    padding: str,
    output_padding: int | None,
    dilation: int = 1,
) -> int | None:
    """Return the length that a transposed convolution makes of a length.

    Args:
        dim_size: The length; `None` stays.
        stride_size: The stride.
        kernel_size: The size of the kernel.
        padding: `'valid'`, `'same'` or `'full'`.
        output_padding: What is added at the end; with `None` the length is that of Keras's rule for the padding.
        dilation: The dilation.

    Raises:
        ValueError: Another padding.

    Example:
        >>> deconv_length(4, 2, 3, 'valid', None)
        9
    """
    reach = (kernel_size - 1) * dilation + 1
    edges = _edges("deconv_length", reach, padding)
    if dim_size is None:
        return None
    if output_padding is not None:
        return (dim_size - 1) * stride_size + reach - 2 * edges + output_padding
    more = {"valid": max(reach - stride_size, 0), "same": 0, "full": -(stride_size + reach - 2)}
    return dim_size * stride_size + more[padding]


def _edges(owner: str, reach: int, padding: str) -> int:
    choice(owner, "padding", padding, _PADDINGS)
    return {"valid": 0, "same": reach // 2, "full": reach - 1}[padding]


def convert_kernel(kernel: Any, dim_ordering: str | None = None) -> Array:
    """Return a convolution's kernel turned around in space, which is what lies between Theano and the others.

    Args:
        kernel: An array of 3 to 5 axes.
        dim_ordering: `'tf'` (the default), the last two axes are those of the channels; `'th'`, the first two.

    Raises:
        ValueError: Another number of axes, or another order.

    Example:
        >>> convert_kernel(np.arange(3.).reshape(3, 1, 1)).ravel()
        array([2., 1., 0.])
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise argument_error("convert_kernel", "kernel", "an array of 3 to 5 axes", kernel.shape)
    order = choice("convert_kernel", "dim_ordering", dim_ordering or "tf", ("tf", "th"))
    space = range(2, kernel.ndim) if order == "th" else range(kernel.ndim - 2)
    return np.array(np.flip(kernel, tuple(space)))


def convert_all_kernels_in_model(model: Any) -> None:
    """Turn the kernels of all convolutions of a model around in space.

    Args:
        model: The model; its weights are changed.

    Example:
        >>> import torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.Conv1D(1, 2, input_shape=(4, 1))])
        >>> model.set_weights([np.array([[[1.]], [[2.]]]), np.zeros(1)])
        >>> convert_all_kernels_in_model(model)
        >>> model.get_weights()[0].ravel()
        array([2., 1.], dtype=float32)
    """
    turned = {"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose"}
    for layer in model.layers:
        if {cls.__name__ for cls in type(layer).__mro__} & turned:
            kernel, *others = layer.get_weights()
            layer.set_weights([convert_kernel(kernel), *others])


def convert_dense_weights_data_format(
    dense: Any, previous_feature_map_shape: Sequence[int], target_data_format: str = "channels_first"
) -> None:
    """Reorder the kernel of a `Dense` behind a `Flatten` for images of the other order of axes.

    Args:
        dense: The layer; its weights are changed.
        previous_feature_map_shape: The shape before the `Flatten`, in the order of `target_data_format`.
        target_data_format: The order that images have from now on.

    Raises:
        ValueError: Another order, or a kernel of another size.

    Example:
        >>> import torchkeras_compat as keras
        >>> dense = keras.layers.Dense(1, input_dim=4)
        >>> model = keras.Sequential([dense])
        >>> dense.set_weights([np.arange(4.).reshape(4, 1), np.zeros(1)])
        >>> convert_dense_weights_data_format(dense, (2, 1, 2), 'channels_first')
        >>> dense.get_weights()[0].ravel()
        array([0., 2., 1., 3.], dtype=float32)
    """
    owner, a, b, c = "convert_dense_weights_data_format", *previous_feature_map_shape
    choice(owner, "target_data_format", target_data_format, ("channels_last", "channels_first"))
    kernel, *others = dense.get_weights()
    if kernel.shape[0] != a * b * c:
        raise argument_error(owner, "previous_feature_map_shape", f"{kernel.shape[0]} numbers in all", (a, b, c))
    units = kernel.shape[1]
    if target_data_format == "channels_first":  # (a, b, c) are channels, rows, columns
        kernel = kernel.reshape(b, c, a, units).transpose(2, 0, 1, 3)
    else:
        kernel = kernel.reshape(c, a, b, units).transpose(1, 2, 0, 3)
    dense.set_weights([kernel.reshape(-1, units), *others])
