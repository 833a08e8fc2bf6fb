"""Layers that make one tensor of several: Add, Concatenate, Dot and their like, and their functions."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, ClassVar

import torch
from torch import Tensor

from .._core import bounds, registry, settings
from .._core.errors import argument_error
from .._core.shapes import Shape
from .._core.symbolic import SymbolicTensor
from .._core.tree import is_shape
from .._core.user_tensors import calling
from ..backend.math import l2_normalize, sample_products
from .base import ROW_WISE, Layer, Traits


class MergingLayer(Layer):
    """Base of the layers that take a list of tensors and give one, Keras's `_Merge`.

    Subclasses compute `_merge_function(inputs)`, elementwise where they say nothing else: axes of size 1 are repeated,
    and a tensor with fewer axes gets axes of size 1 behind the batch.
    """

    _class_traits = ROW_WISE
    _takes_trees = True
    _keeps_integers = True
    _needs_list = True
    _exact_count: ClassVar[int | None] = None  # how many tensors it takes, where that is fixed
    supports_masking = True

    # --- shapes --------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Check that the shapes fit together."""
        self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape that all inputs are brought to.

        Raises:
            ValueError: They do not fit together.
        """
        shapes = self._checked_shapes(input_shape)
        batches = {shape[0] for shape in shapes if shape} - {None}
        if len(batches) > 1:
            raise ValueError(f"{self}: the inputs must have one batch size; got the shapes {_listed(shapes)}.")
        result = reduce(lambda one, other: self._broadcast(one, other, shapes), (shape[1:] for shape in shapes))
        return (next(iter(batches), None), *result)

    def _checked_shapes(self, input_shape: Any) -> list[Shape]:
        count = self._exact_count
        if is_shape(input_shape) or isinstance(input_shape, dict) or not input_shape:
            shown = tuple(input_shape) if is_shape(input_shape) else input_shape
            wanted = "inputs" if count is None else f"{count} inputs"
            raise ValueError(f"{self}: it takes a list of {wanted}, layer([a, b]); got the shape {shown}.")
        shapes = [tuple(shape) for shape in input_shape]
        if count is not None and len(shapes) != count:
            raise ValueError(f"{self}: it takes {count} inputs; got {len(shapes)} of the shapes {_listed(shapes)}.")
        return shapes

    def _broadcast(self, one: Shape, other: Shape, shapes: Sequence[Shape]) -> Shape:
        """Return the shape of a sample that two samples are brought to."""
        longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
        result = list(longer)
        for axis in range(1, len(shorter) + 1):
            n, m = longer[-axis], shorter[-axis]
            if n is None or m is None:
                result[-axis] = None
            elif 1 in (n, m):
                result[-axis] = n * m
            elif n != m:
                raise ValueError(f"{self}: the inputs must have shapes that fit; got {_listed(shapes)}.")
        return tuple(result)

    # --- running -------------------------------------------------------------------------------------------------

    def _symbolic_outputs(self, inputs: Any, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> Any:
        kinds = {tensor.dtype for tensor in inputs}
        kind = self._merged_dtype(kinds.pop()) if len(kinds) == 1 and not self._casts else self.compute_dtype
        return SymbolicTensor(self.compute_output_shape([t.shape for t in inputs]), kind, name=f"{self.name}/output")

    def _merged_dtype(self, input_dtype: str) -> str:
        """Return the type of what tensors of one type make together."""
        return input_dtype

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return what the tensors make together."""
        try:
            return calling(self._merge_function)(self._aligned(inputs))  # type: ignore[no-any-return]
        except RuntimeError:
            self.compute_output_shape([(len(x), *x.shape[1:]) for x in inputs])  # says which shapes do not fit
            raise

    def _aligned(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return tensors of one rank: those with fewer axes get axes of size 1 behind the batch."""
        rank = max(x.dim() for x in inputs)
        if all(x.dim() == rank for x in inputs):
            return inputs
        return [x.reshape(x.shape[0], *[1] * (rank - x.dim()), *x.shape[1:]) for x in inputs]

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return what the tensors, all of one rank, make together."""
        return reduce(self._of_two, inputs)

    @staticmethod
    def _of_two(one: Tensor, other: Tensor, /) -> Tensor:
        """Return what two tensors make; it is applied from the first to the last."""
        raise NotImplementedError("A merging layer must define _merge_function(inputs).")

    # --- masks ---------------------------------------------------------------------------------------------------

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return where all inputs that have a mask count."""
        masks = self._masks_given(inputs, mask)
        return reduce(operator.and_, [m.bool() for m in masks if m is not None]) if masks else None

    def _masks_given(self, inputs: Any, mask: Any) -> list[Any]:
        """Return a mask or `None` for each input; nothing where none has one.

        Raises:
            ValueError: Not one entry for each input.
        """
        if mask is None:
            return []
        if not isinstance(mask, (list, tuple)) or len(mask) != len(inputs):
            got = len(mask) if isinstance(mask, (list, tuple)) else type(mask).__name__
            raise ValueError(f"{self}: mask must be a list of {len(inputs)} masks, None among them; got {got}.")
        return [] if all(m is None for m in mask) else list(mask)


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes))


@registry.register("layer")
class Add(MergingLayer):
    """The sum of tensors.

    Args:
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of tensors whose shapes fit. Output: the shape that they are brought to.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Add
        >>> Add()([np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 1))]).tolist()
        [[3.0, 3.0]]
    """

    _of_two = staticmethod(torch.add)


@registry.register("layer")
class Subtract(MergingLayer):
    """The difference of two tensors.

    Args:
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of two tensors whose shapes fit. Output: the shape that they are brought to.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Subtract
        >>> Subtract()([np.full((1, 2), 5.), np.ones((1, 2))]).tolist()
        [[4.0, 4.0]]
    """

    _exact_count = 2
    _of_two = staticmethod(torch.sub)


@registry.register("layer")
class Multiply(MergingLayer):
    """The product of tensors, element by element.

    Args:
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of tensors whose shapes fit. Output: the shape that they are brought to.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Multiply
        >>> Multiply()([np.full((1, 2), 5.), np.full((1, 2), 3.)]).tolist()
        [[15.0, 15.0]]
    """

    _of_two = staticmethod(torch.mul)


@registry.register("layer")
class Average(MergingLayer):
    """The mean of tensors, element by element.

    Args:
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of tensors whose shapes fit. Output: the shape that they are brought to.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Average
        >>> Average()([np.full((1, 2), 5.), np.full((1, 2), 3.)]).tolist()
        [[4.0, 4.0]]
    """

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        total = reduce(torch.add, inputs)
        return (total if total.is_floating_point() else total.to(self._kind)) / len(inputs)

    def _merged_dtype(self, input_dtype: str) -> str:
        return input_dtype if settings.is_float(input_dtype) else str(self.compute_dtype)


@registry.register("layer")
class Maximum(MergingLayer):
    """The largest of tensors, element by element; the first gets the gradient where two are equal.

    Args:
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of tensors whose shapes fit. Output: the shape that they are brought to.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Maximum
        >>> Maximum()([np.array([[1., 5.]]), np.array([[3., 3.]])]).tolist()
        [[3.0, 5.0]]
    """

    _of_two = staticmethod(bounds.maximum)


@registry.register("layer")
class Minimum(MergingLayer):
    """The smallest of tensors, element by element; the first gets the gradient where two are equal.

    Args:
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of tensors whose shapes fit. Output: the shape that they are brought to.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Minimum
        >>> Minimum()([np.array([[1., 5.]]), np.array([[3., 3.]])]).tolist()
        [[1.0, 3.0]]
    """

    _of_two = staticmethod(bounds.minimum)


@registry.register("layer")
class Concatenate(MergingLayer):
    """Tensors one behind the other along an axis.

    Args:
        axis: The axis; 0 is the batch.
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of tensors that agree but for this axis. Output: its sizes added up.

    Raises:
        ValueError: Inputs that differ in another axis.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Concatenate
        >>> tuple(Concatenate(axis=1)([np.zeros((2, 3, 5)), np.zeros((2, 1, 5))]).shape)
        (2, 4, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not hasattr(axis, "__index__"):
            raise argument_error("Concatenate", "axis", "an integer", axis, TypeError)
        self.axis = axis

    def _own_traits(self) -> Traits:
        own, ranks = super()._own_traits(), [len(shape) for shape in self._built_shape or ()]
        joins_samples = self.axis <= 0 and not (ranks and all(self.axis % rank for rank in ranks))
        return replace(own, row_wise=False) if joins_samples else own

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape with the sizes of the axis added up, `None` where one is not known."""
        shapes = self._checked_shapes(input_shape)
        rank = len(shapes[0])
        if not -rank <= self.axis < rank:
            raise ValueError(f"{self}: axis={self.axis} is no axis of inputs of the shapes {_listed(shapes)}.")
        axis = self.axis % rank
        result = list(shapes[0])
        for shape in shapes[1:]:
            known = zip(range(rank), result, shape)
            if len(shape) != rank or any(a != axis and None not in (n, m) and n != m for a, n, m in known):
                expected = f"inputs that agree in all axes but axis={self.axis}"
                raise ValueError(f"{self}: it takes {expected}; got the shapes {_listed(shapes)}.")
            result = [n if n is not None else m for n, m in zip(result, shape)]
        sizes = [shape[axis] for shape in shapes]
        result[axis] = None if None in sizes else sum(n for n in sizes if n is not None)
        return tuple(result)

    def _aligned(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        return inputs

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        return torch.cat(tuple(inputs), self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the masks one behind the other, or where all of them count if the axis is none of the mask's own."""
        masks = self._masks_given(inputs, mask)
        if not masks:
            return None
        # A mask as large as its input counts where all features do.
        whole = [m if m is None or m.dim() < x.dim() else m.all(-1) for m, x in zip(masks, inputs)]
        rank = max(m.dim() for m in whole if m is not None)
        axis = self.axis % inputs[0].dim()
        if axis >= rank:
            return reduce(operator.and_, [m.bool() for m in whole if m is not None])
        parts = [x.new_ones(x.shape[:rank], dtype=torch.bool) if m is None else m.bool() for m, x in zip(whole, inputs)]
        return torch.cat(parts, axis)


@registry.register("layer")
class Dot(MergingLayer):
    """The products of the samples of two tensors, summed over an axis of each.

    Args:
        axes: The axis of both, or one for each.
        normalize: Whether the vectors along the axis are brought to length one, which makes it the cosine.
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of two tensors. Output: the batch, the other axes of the first and those of the second;
        `(batch, 1)` where there are none.

    Raises:
        TypeError: `axes` is neither an integer nor a pair of them.
        ValueError: The axes have different sizes.

    Example:
        >>> import numpy as np
        >>> from torchkeras_compat.layers import Dot
        >>> tuple(Dot(axes=(1, 2))([np.zeros((1, 5, 2)), np.zeros((1, 3, 5))]).shape)
        (1, 2, 3)
    """

    _exact_count = 2

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if len(pair) != 2 or any(isinstance(a, bool) or not isinstance(a, int) for a in pair):
            raise argument_error("Dot", "axes", "an integer or two of them", axes, TypeError)
        self.axes, self.normalize = axes, bool(normalize)

    def _pair(self, one: int, other: int) -> tuple[int, int]:
        """Return the axes for two ranks, counted from the first."""
        a, b = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        return a % one, b % other

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the batch, the other axes of the first input and those of the second."""
        one, other = self._checked_shapes(input_shape)
        a, b = self._pair(len(one), len(other))
        if 0 in (a, b) or (one[a] != other[b] and None not in (one[a], other[b])):
            raise ValueError(
                f"{self}: axes={self.axes} must have one size and not be the batch; got the shapes {one} and {other}."
            )
        rest = (*one[1:a], *one[a + 1 :], *other[1:b], *other[b + 1 :])
        return (one[0] if one[0] is not None else other[0], *(rest or (1,)))

    def _aligned(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        return inputs

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        x, y = inputs
        a, b = self._pair(x.dim(), y.dim())
        if self.normalize:
            x, y = l2_normalize(x, a), l2_normalize(y, b)
        return sample_products(x, y, (a, b))

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return nothing: masks end here."""


# --- functions ---------------------------------------------------------------------------------------------------


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the sum of tensors, by a new layer `Add`.

    Args:
        inputs: The tensors.
        kwargs: The arguments of the layer.

    Example:
        >>> from torchkeras_compat.layers import Input, add
        >>> tuple(add([Input((4,)), Input((4,))]).shape)
        (None, 4)
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the difference of two tensors, by a new layer `Subtract`.

    Args:
        inputs: The tensors.
        kwargs: The arguments of the layer.
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the product of tensors, by a new layer `Multiply`.

    Args:
        inputs: The tensors.
        kwargs: The arguments of the layer.
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the mean of tensors, by a new layer `Average`.

    Args:
        inputs: The tensors.
        kwargs: The arguments of the layer.
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the largest of tensors, by a new layer `Maximum`.

    Args:
        inputs: The tensors.
        kwargs: The arguments of the layer.
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the smallest of tensors, by a new layer `Minimum`.

    Args:
        inputs: The tensors.
        kwargs: The arguments of the layer.
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Return tensors one behind the other, by a new layer `Concatenate`.

    Args:
        inputs: The tensors.
        axis: The axis along which they stand.
        kwargs: The arguments of the layer.

    Example:
        >>> from torchkeras_compat.layers import Input, concatenate
        >>> tuple(concatenate([Input((4,)), Input((3,))]).shape)
        (None, 7)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Any], axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> Any:
    """Return the products of the samples of two tensors, by a new layer `Dot`.

    Args:
        inputs: The two tensors.
        axes: The axis of both, or one for each.
        normalize: Whether the vectors along the axis are brought to length one.
        kwargs: The arguments of the layer.
    """
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
