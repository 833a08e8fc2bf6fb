"""The sizes of a cell's states, and trees of states: one tensor, or lists and tuples of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from ..._core import settings
from ..._core.symbolic import SymbolicTensor
from ..._core.tensor_shape import TensorShape
from ..._core.tree import Tree, flatten

_SHAPES = (TensorShape, torch.Size)


def is_several(size: Any) -> bool:
    """Tell whether a `state_size` or `output_size` is that of several tensors: a list or tuple, and no shape."""
    return isinstance(size, (list, tuple)) and not isinstance(size, _SHAPES)


def as_list(size: Any) -> list[Any]:
    """Return a `state_size` as a list with one entry for each state."""
    return list(size) if is_several(size) else [size]


def first_size(cell: Any) -> Any:
    """Return the size of a cell's output: what it says itself, or else that of its first state."""
    size = getattr(cell, "output_size", None)
    return as_list(cell.state_size)[0] if size is None else size


def batch_shapes(size: Any, *before: int | None) -> Any:
    """Return the tree of shapes that a tree of sizes means, with these axes before each.

    Args:
        size: An integer, a shape, or a list or tuple of them.
        before: The axes before: the batch, and the steps where there are some.
    """
    return tree_map(lambda leaf: (*before, *TensorShape(leaf)), size, is_leaf=_is_size)


def leaf_shapes(size: Any, batch: int | None) -> list[tuple[int | None, ...]]:
    """Return the shapes of all tensors in a tree of states."""
    return [(batch, *TensorShape(leaf)) for leaf in tree_leaves(size, is_leaf=_is_size)]


def zero_states(size: Any, batch: int, dtype: Any = None) -> Any:
    """Return zeros for each size in a tree of sizes.

    Args:
        size: An integer, a shape, or a list or tuple of them.
        batch: The number of samples.
        dtype: Their type; `floatx()` when `None`.
    """
    kind = settings.torch_dtype(dtype)
    return tree_map(lambda leaf: torch.zeros(batch, *TensorShape(leaf), dtype=kind), size, is_leaf=_is_size)


def initial_states(cell: Any, batch: int, dtype: Any = None) -> Any:
    """Return the first states of a cell: what its `get_initial_state` gives, or zeros.

    Args:
        cell: The cell.
        batch: The number of samples.
        dtype: Their type.
    """
    make = getattr(cell, "get_initial_state", None)
    if make is None:
        return zero_states(cell.state_size, batch, dtype)
    return make(inputs=None, batch_size=batch, dtype=dtype)


def packed(size: Any, values: Any, owner: Any, names: Sequence[str] = ()) -> Any:
    """Return states in the structure of a tree of sizes.

    Args:
        size: The sizes.
        values: The states, in this structure or in a row.
        owner: Who takes them.
        names: What they are called.

    Raises:
        ValueError: There are more or fewer of them.
    """
    leaves, structure = tree_flatten(size, is_leaf=_is_size)
    states = tree_leaves(values)
    if len(states) != len(leaves):
        called = f" ({', '.join(names)})" if names else ""
        expected = f"{len(leaves)} state{'s' if len(leaves) > 1 else ''}{called}"
        raise ValueError(f"{owner}: there must be {expected}; got {len(states)}.")
    return tree_unflatten(states, structure)


def _is_size(size: Any) -> bool:
    return not is_several(size)


def states_as_inputs(inputs: Tree, keywords: Mapping[str, Any]) -> tuple[Tree, Mapping[str, Any]]:
    """Return a symbolic sequence and its symbolic first states as one list, and the other arguments of a call.

    With constants among the arguments all stay as they are: which is which could not be told from a list.
    """
    states = keywords.get("initial_state")
    leaves = flatten(states)
    symbolic = states is not None and all(isinstance(state, SymbolicTensor) for state in leaves)
    if not symbolic or keywords.get("constants") is not None:
        return inputs, keywords
    return [*flatten(inputs), *leaves], {key: value for key, value in keywords.items() if key != "initial_state"}
