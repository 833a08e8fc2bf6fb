"""The masks that tensors carry from layer to layer, where users call layers by hand."""

from __future__ import annotations

from torch import Tensor

from ..._core.tree import Tree, flatten, is_branch, map_tree


def carried_mask(tree: Tree) -> Tree:
    """Return the mask that a tensor carries, or those of several in the same structure; `None` where none does."""
    if isinstance(tree, Tensor):
        return getattr(tree, "_keras_mask", None)
    if not is_branch(tree) or all(getattr(leaf, "_keras_mask", None) is None for leaf in flatten(tree)):
        return None
    return map_tree(lambda leaf: getattr(leaf, "_keras_mask", None), tree)


def carry_mask(tree: Tree, mask: Tree) -> None:
    """Let tensors carry their masks to the layers that they are given to, as Keras attaches them."""
    if isinstance(tree, Tensor):
        if isinstance(mask, (list, tuple)):
            mask = mask[0] if mask else None
        if mask is not None:
            tree._keras_mask = mask  # type: ignore[attr-defined]
    elif isinstance(tree, dict):
        for key, item in tree.items():
            carry_mask(item, mask.get(key) if isinstance(mask, dict) else None)
    elif isinstance(tree, (list, tuple)) and isinstance(mask, (list, tuple)):
        for item, part in zip(tree, mask):
            carry_mask(item, part)


def forget_mask(tree: Tree) -> None:
    """Take the masks off tensors, which the caller may use again for something else."""
    for leaf in flatten(tree):
        if getattr(leaf, "_keras_mask", None) is not None:
            del leaf._keras_mask


def mask_of_outputs(outputs: Tree) -> Tree:
    """Return the masks that what a user's layer gave carries, where all of it carries one; else `None`."""
    leaves = flatten(outputs)
    if any(getattr(leaf, "_keras_mask", None) is None for leaf in leaves):
        return None
    return carried_mask(outputs)


def are_same_tensors(outputs: Tree, inputs: Tree) -> bool:
    """Tell whether a user's layer has given what it was given, in the same order."""
    ys, xs = flatten(outputs), flatten(inputs)
    return len(ys) == len(xs) and all(isinstance(y, Tensor) and y.is_set_to(x) for y, x in zip(ys, xs))
