"""`tf.TensorArray`: a list of tensors that loops write into."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .._core import settings
from .._core.errors import argument_error
from .tensorflow_calls import sizes, tensor
from .tensorflow_functions import concat, split, stack, unstack


class TensorArray:
    """A list of tensors; what writes to it returns it, so that scripts may go on with the result.

    Args:
        dtype: Their type.
        size: How many there are.
        dynamic_size: Whether it grows where one is written behind the last.
        clear_after_read: Accepted: a tensor can be read more than once.
        tensor_array_name: Accepted.
        handle: Accepted.
        flow: Accepted.
        infer_shape: Accepted.
        element_shape: Their shape, by which one that was never written is zeros.
        colocate_with_first_write_call: Accepted.
        name: Accepted.

    Example:
        >>> array = TensorArray('float32', size=2)
        >>> array.write(0, 1.0).write(1, 2.0).stack()
        tensor([1., 2.])
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        self.dtype = settings.torch_dtype(dtype)
        self.dynamic_size = bool(dynamic_size)
        self.element_shape = element_shape
        self._tensors: list[Tensor | None] = [None] * int(0 if size is None else size)

    def _place(self, method: str, index: Any) -> int:
        place = int(index)
        if not 0 <= place < len(self._tensors):
            expected = f"a number from 0 to {len(self._tensors) - 1}"
            raise argument_error(f"tf.TensorArray.{method}", "index", expected, index, IndexError)
        return place

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Write a tensor and return the array.

        Args:
            index: Its place.
            value: The tensor.
            name: Accepted.

        Raises:
            IndexError: The place is behind the last, and the array does not grow.
        """
        if self.dynamic_size:
            self._tensors += [None] * (int(index) + 1 - len(self._tensors))
        self._tensors[self._place("write", index)] = tensor(value, self.dtype)
        return self

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """Return a tensor; one that was never written is zeros of the shape of the others.

        Args:
            index: Its place.
            name: Accepted.

        Raises:
            IndexError: There is no such place.
        """
        value = self._tensors[self._place("read", index)]
        return self._zeros() if value is None else value

    def _zeros(self) -> Tensor:
        like = next((value for value in self._tensors if value is not None), None)
        if like is not None:
            return torch.zeros_like(like)
        if self.element_shape is None or None in tuple(self.element_shape):
            raise argument_error("tf.TensorArray", "element_shape", "a shape where nothing is written", None)
        return torch.zeros(sizes(tuple(self.element_shape)), dtype=self.dtype, device=settings.default_device())

    def stack(self, name: str | None = None) -> Tensor:
        """Return the tensors along a new first axis."""
        if not self._tensors and self.element_shape is None:
            return torch.zeros((0,), dtype=self.dtype, device=settings.default_device())
        if not self._tensors:
            return self._zeros().unsqueeze(0)[:0]
        return stack([self.read(i) for i in range(len(self._tensors))])

    def concat(self, name: str | None = None) -> Tensor:
        """Return the tensors along their first axis."""
        return concat([self.read(i) for i in range(len(self._tensors))], 0)

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """Return some of the tensors along a new first axis.

        Args:
            indices: Their places.
            name: Accepted.
        """
        return stack([self.read(i) for i in sizes(indices)])

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Write the slices of a tensor along its first axis, and return the array.

        Args:
            value: The tensor.
            name: Accepted.
        """
        return self._refill("unstack", unstack(tensor(value, self.dtype)))

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Write pieces of a tensor, and return the array.

        Args:
            value: The tensor.
            lengths: The length of each piece.
            name: Accepted.
        """
        return self._refill("split", split(tensor(value, self.dtype), sizes(lengths)))

    def _refill(self, method: str, parts: list[Tensor]) -> TensorArray:
        if len(parts) > len(self._tensors) and not self.dynamic_size:
            most = f"at most {len(self._tensors)} tensors, or dynamic_size=True"
            raise argument_error(f"tf.TensorArray.{method}", "value", most, len(parts))
        self._tensors = [*parts, *self._tensors[len(parts) :]]
        return self

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Write the slices of a tensor at places of their own, and return the array.

        Args:
            indices: The places.
            value: The tensor.
            name: Accepted.
        """
        for place, part in zip(sizes(indices), unstack(tensor(value, self.dtype))):
            self.write(place, part)
        return self

    def size(self, name: str | None = None) -> Tensor:
        """Return how many tensors there are."""
        return torch.tensor(len(self._tensors), dtype=torch.int32)

    def __len__(self) -> int:
        return len(self._tensors)

    def identity(self) -> TensorArray:
        """Return the array."""
        return self

    def mark_used(self) -> None:
        """Accept that nobody reads the array."""

    def close(self, name: str | None = None) -> None:
        """Forget the tensors."""
        self._tensors.clear()
