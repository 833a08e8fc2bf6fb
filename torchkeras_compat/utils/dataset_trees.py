"""Elements of data sets: tensors in tuples and dictionaries, and what functions make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core import settings
from .._core.errors import show
from .._core.host_arrays import readable
from .._core.ragged import RaggedTensor
from .._core.strings import StringTensor, is_string_type
from .._core.tensor_shape import TensorSpec
from .._core.user_tensors import hand_out, take_back

INFINITE, UNKNOWN = -1, -2  # TensorFlow's numbers for the length of a data set

Tree = Any  # an array, or a tuple or dictionary of trees
Stops = list[Callable[[], Any]]  # what ends the reading ahead of one pass


class Chained:
    """What the parts of a data set's class need of it."""

    _length: int

    def _elements(self, stops: Stops) -> Iterator[Any]:
        raise NotImplementedError

    def _derived(self, make: Callable[[Stops], Iterator[Any]], length: int) -> Any:
        raise NotImplementedError

    def _joined_with(self, others: Sequence[Any], make: Callable[[Stops], Iterator[Any]]) -> Any:
        """Return a data set that is made of this one and others."""
        raise NotImplementedError

    @classmethod
    def _of(cls, elements: list[Any]) -> Any:
        """Return a data set of these elements."""
        raise NotImplementedError

    @classmethod
    def _begun_by(cls, make: Callable[[], Iterator[Any]], length: int) -> Any:
        """Return a data set of what a function's iterator gives."""
        raise NotImplementedError


def mapped(function: Callable[[Any], Any], tree: Tree) -> Tree:
    """Return a tree with a function's values as its leaves."""
    if isinstance(tree, dict):
        return {key: mapped(function, value) for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(mapped(function, value) for value in tree)
    return function(tree)


def leaves(tree: Tree) -> list[Any]:
    """Return the leaves of a tree."""
    if isinstance(tree, (dict, tuple)):
        return [leaf for value in (tree.values() if isinstance(tree, dict) else tree) for leaf in leaves(value)]
    return [tree]


def filled(tree: Tree, values: Iterator[Any]) -> Tree:
    """Return a tree with other leaves, one value after the other."""
    return mapped(lambda _: next(values), tree)


def joined(function: Callable[[list[Any]], Any], trees: list[Tree]) -> Tree:
    """Return the tree of what a function makes of the leaves of several trees, place by place."""
    first = trees[0]
    if isinstance(first, dict):
        return {key: joined(function, [tree[key] for tree in trees]) for key in first}
    if isinstance(first, tuple):
        return tuple(joined(function, list(parts)) for parts in zip(*trees))
    return function(trees)


def as_tensor(value: Any) -> Any:
    """Return a value as a tensor of TensorFlow's type for it; strings as a `StringTensor`."""
    if isinstance(value, (Tensor, RaggedTensor)) or hasattr(value, "_elements"):  # a data set may be an element
        return value
    array = np.asarray(value.to_numpy() if hasattr(value, "to_numpy") else value)
    if array.dtype.kind in "OUS":
        return StringTensor.of(array)
    if not hasattr(value, "dtype"):  # what Python wrote
        array = array.astype({"i": np.int32, "f": np.float32}.get(array.dtype.kind, array.dtype))
    return torch.from_numpy(np.require(readable(array), requirements=["C", "W"]).reshape(array.shape))


def specs_of(types: Tree, shapes: Tree) -> Tree:
    """Return a `TensorSpec` for each part of an element.

    Args:
        types: The types, in a tree.
        shapes: The shapes in the same one; `None` where nothing is known of them.
    """
    if isinstance(types, dict):
        return {key: specs_of(kind, None if shapes is None else shapes[key]) for key, kind in types.items()}
    if isinstance(types, (tuple, list)):
        return tuple(specs_of(kind, None if shapes is None else shapes[i]) for i, kind in enumerate(types))
    return TensorSpec(None if shapes is None else tuple(shapes), types)


def as_specified(item: Tree, specs: Tree) -> Tree:
    """Return an element in the types that were said of it.

    Args:
        item: What a generator has yielded.
        specs: A `TensorSpec` for each part.

    Raises:
        ValueError: It has another structure or shape.

    Example:
        >>> as_specified([1, 2.5], (TensorSpec((), 'int64'), TensorSpec((), 'float32')))
        (tensor(1), tensor(2.5000))
    """
    if isinstance(specs, dict):
        if not isinstance(item, dict) or item.keys() != specs.keys():
            raise ValueError(f"Dataset.from_generator: an element must have the keys {list(specs)}; got {show(item)}.")
        return {key: as_specified(item[key], spec) for key, spec in specs.items()}
    if isinstance(specs, (tuple, list)):
        if not isinstance(item, (tuple, list)) or len(item) != len(specs):
            raise ValueError(f"Dataset.from_generator: an element must have {len(specs)} parts; got {show(item)}.")
        return tuple(as_specified(part, spec) for part, spec in zip(item, specs))
    tensor = as_tensor(item)
    if not is_string_type(specs.dtype):
        tensor = tensor.to(settings.torch_dtype(specs.dtype))
    if specs.shape is not None and not _fits(tuple(tensor.shape), tuple(specs.shape)):
        told = f"an element of the shape {tuple(specs.shape)} was announced"
        raise ValueError(f"Dataset.from_generator: {told}; got one of {tuple(tensor.shape)}.")
    return tensor


def _fits(shape: tuple[int, ...], announced: tuple[Any, ...]) -> bool:
    return len(shape) == len(announced) and all(n in (None, -1, size) for n, size in zip(announced, shape))


def copied(value: Any) -> Any:
    """Return a value as a tensor with memory of its own."""
    copy: Tensor = as_tensor(value).clone()
    return copy


def stacked(values: list[Any]) -> Any:
    """Return tensors as the rows of one.

    Raises:
        ValueError: They differ in shape.
    """
    tensors = [torch.as_tensor(value) for value in values]
    other = next((tensor for tensor in tensors if tensor.shape != tensors[0].shape), None)
    if other is not None:
        raise ValueError(
            f"Dataset.batch: the elements of a batch must have one shape; got {tuple(tensors[0].shape)} and "
            f"{tuple(other.shape)}; write padded_batch to fill them up."
        )
    return torch.stack(tensors)


def called(function: Callable[..., Any], item: Any) -> Any:
    """Return what a user's function makes of an element, whose parts are its arguments."""
    tensors = mapped(hand_out, mapped(as_tensor, item))
    made = function(*tensors) if isinstance(tensors, tuple) else function(tensors)
    return mapped(take_back, tuple(made) if isinstance(made, list) else made)
