"""Batches by which a loss of a user's may differentiate: a gradient penalty asks for gradients by data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..._core.tree import Tree, map_tree
from ..._core.user_tensors import without_history
from ..data.batch import Batch


def differentiable(x: Tree) -> Tree:
    """Return the inputs of a batch as tensors that autograd follows; what is no float stays what it is."""
    return map_tree(lambda leaf: leaf.detach().requires_grad_() if _is_of_floats(leaf) else leaf, x)


def _is_of_floats(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.is_floating_point() and leaf.layout is torch.strided


def differentiable_copy(batch: Batch) -> Batch:
    """Return a batch that was read for an evaluation, whose tensors autograd takes none of, as one for training."""
    x, y, weight = map_tree(lambda leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf, tuple(batch[:3]))
    return batch._replace(x=differentiable(x), y=y, weight=weight)


def unfollowed(leaf: Any) -> Any:
    """Return a tensor without its history, and anything else as it is."""
    return without_history(leaf) if isinstance(leaf, Tensor) else leaf
