"""Functions that the backend of older Keras had under names of their own, by those of today.

Source: the signatures of Keras 1.2.2 and 2.3.1.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

from .. import backend as K
from .._core.symbolic import SymbolicTensor
from .spellings import ORDERS, order_for_kernels


def asymmetric_temporal_padding(x: Any, left_pad: int = 1, right_pad: int = 1) -> Any:
    """Return `K.temporal_padding` by two numbers.

    Example:
        >>> asymmetric_temporal_padding(K.ones((1, 2, 1)), 0, 2).shape
        (1, 4, 1)
    """
    return K.temporal_padding(x, (left_pad, right_pad))


def asymmetric_spatial_2d_padding(
    x: Any, top_pad: int = 1, bottom_pad: int = 1, left_pad: int = 1, right_pad: int = 1, dim_ordering: str = "default"
) -> Any:
    """Return `K.spatial_2d_padding` by four numbers.

    Example:
        >>> asymmetric_spatial_2d_padding(K.ones((1, 2, 2, 1)), 0, 1, 0, 2).shape
        (1, 3, 4, 1)
    """
    padding = ((top_pad, bottom_pad), (left_pad, right_pad))
    return K.spatial_2d_padding(x, padding, ORDERS.get(dim_ordering, dim_ordering))


def atrous_conv2d(
    x: Any,
    kernel: Any,
    rate: int = 1,
    border_mode: str = "valid",
    dim_ordering: str = "default",
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Any:
    """Return `K.conv2d` with `dilation_rate=(rate, rate)`.

    Example:
        >>> atrous_conv2d(K.ones((1, 5, 5, 1)), K.ones((2, 2, 1, 1)), 2).shape
        (1, 3, 3, 1)
    """
    order = order_for_kernels(dim_ordering)
    return K.conv2d(x, kernel, padding=border_mode, data_format=order, dilation_rate=(rate, rate))


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
    """Return `K.conv2d_transpose`; the kernel is that of a convolution here, `(rows, columns, inputs, outputs)`.

    Example:
        >>> deconv2d(K.ones((1, 2, 2, 1)), K.ones((2, 2, 1, 3)), (1, 3, 3, 3)).shape
        (1, 3, 3, 3)
    """
    turned, order = K.permute_dimensions(kernel, (0, 1, 3, 2)), order_for_kernels(dim_ordering)
    return K.conv2d_transpose(x, turned, output_shape, strides, padding=border_mode, data_format=order)


@contextlib.contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """Accept what has to be computed before the block: operations run in the order they are written.

    Example:
        >>> with control_dependencies([K.ones((1,))]):
        ...     K.get_value(K.constant(2))
        np.float32(2.0)
    """
    yield


@contextlib.contextmanager
def v1_variable_initialization() -> Iterator[None]:
    """Accept the block in which Keras 2.3 initialized variables: they have their values from the start.

    Example:
        >>> with v1_variable_initialization():
        ...     K.get_value(K.variable(2))
        np.float32(2.0)
    """
    yield


def is_symbolic(x: Any) -> bool:
    """Return whether a tensor has no value yet.

    Example:
        >>> is_symbolic(K.placeholder((2,))), is_symbolic(K.ones((2,)))
        (True, False)
    """
    return isinstance(x, SymbolicTensor)


def set_legacy_weight_ordering(value: bool) -> NoReturn:
    """Refuse: files of before 1.0 ordered weights otherwise, and are not read.

    Raises:
        NotImplementedError: Always.
    """
    raise NotImplementedError(
        "K.set_legacy_weight_ordering: files of weights from before Keras 1.0 are not read; load them with Keras 1.2.2 "
        "and save them again."
    )
