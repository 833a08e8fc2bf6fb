"""The process-wide settings, under the names that `keras.backend.common` has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from .._core import settings
from .._core import symbolic as symbolic_tensors
from .._core.errors import choice
from .._core.settings import (
    epsilon,
    floatx,
    get_uid,
    image_data_format,
    reset_uids,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from .._core.shapes import data_format as _data_format

F = TypeVar("F", bound=Callable[..., Any])

_ORDERINGS = {"tf": "channels_last", "th": "channels_first"}


def backend() -> str:
    """Return `'tensorflow'`: scripts that ask choose by it between the conventions of TensorFlow and Theano.

    Example:
        >>> backend()
        'tensorflow'
    """
    return "tensorflow"


def normalize_data_format(value: str | None) -> str:
    """Return `'channels_last'` or `'channels_first'`; `None` is the default of the process.

    Example:
        >>> normalize_data_format(None)
        'channels_last'
    """
    return _data_format("normalize_data_format", value, image_data_format())


def image_dim_ordering() -> str:
    """Return the order of image axes as Keras 1 called it, `'tf'` or `'th'`.

    Example:
        >>> image_dim_ordering()
        'tf'
    """
    return next(old for old, new in _ORDERINGS.items() if new == image_data_format())


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Set the default order of image axes by its name in Keras 1.

    Args:
        dim_ordering: `'tf'` for channels last, `'th'` for channels first.

    Raises:
        ValueError: Another name.

    Example:
        >>> set_image_dim_ordering('th'); image_data_format()
        'channels_first'
        >>> set_image_dim_ordering('tf')
    """
    set_image_data_format(_ORDERINGS[choice("set_image_dim_ordering", "dim_ordering", dim_ordering, _ORDERINGS)])


def cast_to_floatx(x: Any) -> Any:
    """Return an array (or a tensor) in the default float type.

    Example:
        >>> cast_to_floatx([1, 2]).dtype
        dtype('float32')
    """
    if isinstance(x, symbolic_tensors.SymbolicTensor):
        return symbolic_tensors.apply(cast_to_floatx, x)
    if hasattr(x, "detach"):
        return x.to(settings.torch_dtype(None))
    # numpy has no bfloat16; float32 holds its every value.
    return np.asarray(x, dtype="float32" if floatx() == "bfloat16" else floatx())


def manual_variable_initialization(value: bool) -> None:
    """Accept Keras's switch: a variable here has its value from the start, in either mode.

    Args:
        value: Not used.
    """


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Accept Keras's prefix for the names of a graph's operations, of which there are none here.

    Args:
        name: The prefix, given to the `with` block.
    """
    yield name


def symbolic(func: F) -> F:
    """Return `func`: each function of the backend decides by its arguments."""
    return func


def eager(func: F) -> F:
    """Return `func`: each function of the backend decides by its arguments."""
    return func


__all__ = [
    "backend",
    "cast_to_floatx",
    "eager",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "image_dim_ordering",
    "manual_variable_initialization",
    "name_scope",
    "normalize_data_format",
    "reset_uids",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_image_dim_ordering",
    "symbolic",
]
