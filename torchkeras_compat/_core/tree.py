"""Trees: a value, or lists, tuples and dictionaries of trees, as models take and give them.

torch's own `torch.utils._pytree` does the work; what it calls a leaf is a leaf here, and shapes, which are tuples too,
are told apart by what stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor
from torch.utils import _pytree as pytree

from .errors import show

Tree = Any  # of leaves of one kind; recursive types say no more to a reader and nothing to mypy


def is_branch(value: Any) -> bool:
    """Tell whether a value is a list, tuple or dictionary, and not a leaf."""
    return isinstance(value, (list, tuple, dict))


def _is_of_tensors(tree: Tree) -> bool:
    """Tell whether it is a list or tuple of tensors, for which torch's way would take ten times as long."""
    return type(tree) in (list, tuple) and all(isinstance(leaf, Tensor) for leaf in tree)


def flatten(tree: Tree) -> list[Any]:
    """Return the leaves, those of dictionaries in the order of their keys' insertion.

    Example:
        >>> flatten({'a': 1, 'b': [2, (3,)]})
        [1, 2, 3]
    """
    if not is_branch(tree):
        return [tree]
    return list(tree) if _is_of_tensors(tree) else pytree.tree_leaves(tree)


def map_tree(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """Return the tree of what a function makes of each leaf, and of the leaves of other trees at the same places.

    Raises:
        ValueError: The trees differ in structure.

    Example:
        >>> map_tree(lambda a, b: a + b, [1, {'x': 2}], [10, {'x': 20}])
        [11, {'x': 22}]
    """
    if not is_branch(tree):
        return function(tree, *others)
    if not others and _is_of_tensors(tree):
        return type(tree)([function(tensor) for tensor in tree])
    return pytree.tree_map(function, tree, *others)


def fill(tree: Tree, leaves: list[Any]) -> Tree:
    """Return a tree of the structure of `tree` with other leaves.

    Example:
        >>> fill(['a', ('b',)], [1, 2])
        [1, (2,)]
    """
    return pytree.tree_unflatten(leaves, pytree.tree_structure(tree))


def expect_same_structure(owner: str, argument: str, expected: Tree, tree: Tree) -> None:
    """Raise where two trees differ in structure, naming the place.

    Example:
        >>> expect_same_structure('fit', 'y', {'a': 1}, {'b': 1})
        Traceback (most recent call last):
            ...
        ValueError: fit: y must have the keys ['a']; got the keys ['b'].
    """
    message = next(_differences(argument, expected, tree), None)
    if message is not None:
        raise ValueError(f"{owner}: {message}")


def _differences(path: str, expected: Tree, tree: Tree) -> Iterator[str]:
    if isinstance(expected, dict):
        if not isinstance(tree, dict) or list(expected) != list(tree):
            keys = f"the keys {list(tree)}" if isinstance(tree, dict) else show(tree)
            yield f"{path} must have the keys {list(expected)}; got {keys}."
            return
        for key in expected:
            yield from _differences(f"{path}[{key!r}]", expected[key], tree[key])
    elif isinstance(expected, (list, tuple)):
        if not isinstance(tree, (list, tuple)) or len(expected) != len(tree):
            length = f"{len(tree)} items" if isinstance(tree, (list, tuple)) else show(tree)
            yield f"{path} must have {len(expected)} items; got {length}."
            return
        for i, (a, b) in enumerate(zip(expected, tree)):
            yield from _differences(f"{path}[{i}]", a, b)
    elif is_branch(tree):
        yield f"{path} must be a single value; got {show(tree)}."


# --- shapes ------------------------------------------------------------------------------------------------------


def is_shape(value: Any) -> bool:
    """Tell whether a tuple or list is one shape, and not a tree of shapes."""
    return isinstance(value, (tuple, list)) and all(n is None or hasattr(n, "__index__") for n in value)


def map_shapes(function: Callable[[Any], Any], tree: Tree) -> Tree:
    """Return the tree of what a function makes of each shape.

    Example:
        >>> map_shapes(len, [(None, 3), (None, 4, 5)])
        [2, 3]
    """
    if is_shape(tree):
        return function(tree)
    if isinstance(tree, dict):
        return {key: map_shapes(function, item) for key, item in tree.items()}
    return type(tree)([map_shapes(function, item) for item in tree])


def flatten_shapes(tree: Tree) -> list[Any]:
    """Return the shapes in a tree.

    Example:
        >>> flatten_shapes({'a': (None, 3), 'b': [(None, 4)]})
        [(None, 3), (None, 4)]
    """
    shapes: list[Any] = []
    map_shapes(shapes.append, tree)
    return shapes


def shapes_of(tree: Tree) -> Tree:
    """Return the tree of the shapes of tensors, symbolic or not, as plain tuples."""
    return map_tree(lambda tensor: tuple(tensor.shape), tree)
