"""`InputSpec`: what a layer says about the shape of its input, and the check of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core import settings
from ..._core.config import Configurable
from ..._core.errors import argument_error
from ..._core.shapes import Shape, shape_tuple


class InputSpec(Configurable):
    """The number of axes, the sizes and the type of an input; what is `None` may be anything.

    A layer with an `input_spec` is checked against it when it is built and whenever it is called.

    Args:
        dtype: The name of the type.
        shape: The shape, batch size first.
        ndim: The number of axes, the batch included.
        max_ndim: The largest number of axes.
        min_ndim: The smallest number of axes.
        axes: Index of an axis → its size.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or too many.
        name: The name of the input.

    Raises:
        ValueError: An axis that `ndim` or `max_ndim` does not have.
        TypeError: `axes` is no dictionary of integers.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import InputSpec, Layer
        >>> class Last(Layer):
        ...     def build(self, input_shape):
        ...         self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})
        ...     def call(self, inputs):
        ...         return inputs[..., -1]
        >>> layer = Last()
        >>> tuple(layer(np.zeros((2, 3))).shape)
        (2,)
        >>> layer(np.zeros((2, 4)))
        Traceback (most recent call last):
            ...
        ValueError: Last 'last_1': input_spec expects size 3 of axis -1; got an input of shape (None, 4).
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
    ) -> None:
        self.dtype = None if dtype is None else settings.dtype_name(settings.torch_dtype(dtype))
        self.shape = None if shape is None else _any_shape(shape)
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.allow_last_axis_squeeze, self.name = allow_last_axis_squeeze, name
        try:
            self.axes = {int(axis): size for axis, size in dict(axes or {}).items()}
        except (TypeError, ValueError):
            raise argument_error("InputSpec", "axes", "a dictionary {axis: size}", axes, TypeError) from None
        most = self.ndim if self.ndim is not None else self.max_ndim
        if most is not None and any(not -most <= axis < most for axis in self.axes):
            raise argument_error("InputSpec", "axes", f"axes of an input with {most} axes", axes)

    def __repr__(self) -> str:
        said = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        parts = (f"{name}={getattr(self, name)}" for name in said if getattr(self, name) not in (None, {}))
        return f"InputSpec({', '.join(parts)})"

    def misfit(self, shape: Shape, dtype: str | None = None) -> str | None:
        """Return what is expected where an input does not fit, else `None`.

        Args:
            shape: Its shape, batch size first.
            dtype: The name of its type, where it is known.
        """
        axes, ndim = len(shape), self.ndim
        spare = self.shape if self.allow_last_axis_squeeze else None
        if spare and spare[-1] == 1 and axes == len(spare) - 1:
            shape = (*shape, 1)
            axes += 1
        elif self.allow_last_axis_squeeze and spare and axes == len(spare) + 1 and shape[-1] == 1:
            shape, axes = shape[:-1], axes - 1
        if ndim is not None and axes != ndim:
            return f"ndim={ndim}"
        if self.max_ndim is not None and axes > self.max_ndim:
            return f"max_ndim={self.max_ndim}"
        if self.min_ndim is not None and axes < self.min_ndim:
            return f"min_ndim={self.min_ndim}"
        if self.dtype is not None and dtype is not None and dtype != self.dtype:
            return f"dtype={self.dtype}"
        for axis, size in self.axes.items():
            if not -axes <= axis < axes:
                return f"an axis {axis}"
            if size is not None and shape[axis] is not None and shape[axis] != size:
                return f"size {size} of axis {axis}"
        wanted = self.shape or shape
        if any(w is not None and s is not None and w != s for w, s in zip(wanted, shape)):
            return f"shape={wanted}"
        return None


def _any_shape(shape: Sequence[int | None]) -> Shape:
    return tuple(shape) if len(shape) == 0 else shape_tuple("InputSpec", "shape", shape, batch=True)


def check_input(layer: Any, spec: Any, inputs: Any) -> None:
    """Raise when an input does not fit the `input_spec` of a layer.

    Args:
        layer: The layer.
        spec: An `InputSpec`, or a list of them, one for each input; `None` fits anything.
        inputs: A tensor, a symbolic tensor or a shape, or a list of them.

    Raises:
        ValueError: It does not fit.
    """
    specs = list(spec) if isinstance(spec, (list, tuple)) else [spec]
    several = isinstance(inputs, (list, tuple)) and any(hasattr(i, "shape") or isinstance(i, tuple) for i in inputs)
    values = list(inputs) if several else [inputs]
    if len(values) != len(specs):
        raise ValueError(f"{layer}: input_spec expects {len(specs)} inputs; got {len(values)}.")
    for one, value in zip(specs, values):
        if one is None:
            continue
        shape_of_value = getattr(value, "shape", value)
        dtype = getattr(value, "dtype", None)
        name = dtype if dtype is None or isinstance(dtype, str) else settings.dtype_name(dtype)
        if (expected := one.misfit(tuple(shape_of_value), name)) is not None:
            shape = (None, *tuple(shape_of_value)[1:])
            kind = f" and type {name}" if expected.startswith("dtype") else ""
            raise ValueError(f"{layer}: input_spec expects {expected}; got an input of shape {shape}{kind}.")
