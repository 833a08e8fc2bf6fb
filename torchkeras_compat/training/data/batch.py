"""`Batch`: what a step gets."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.tree import Tree


class Batch(NamedTuple):
    """One batch on the device.

    Attributes:
        x: A tensor for a model with one input, a list of tensors for several, in the order of the model's inputs; where
            these are not known, the tree that the user gave.
        y: Targets: a tensor for one output, a list with a tensor or `None` for each of several, or a tree; `None`
            where there are none.
        weight: Sample weights, like `y`.
        size: The number of rows, known on the host.
        whole: x, y and sample weights as the user arranged them, where a user's step is to get them so.
    """

    x: Tree
    y: Tree
    weight: Tree
    size: int
    whole: tuple[Tree, Tree, Tree] | None = None
