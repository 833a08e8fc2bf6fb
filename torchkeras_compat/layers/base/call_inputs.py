"""What a layer was called on: tensors, arrays or symbolic tensors, and whose tensors they are."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ..._core.symbolic import SymbolicTensor, is_symbolic
from ..._core.tree import flatten, is_branch
from ..._core.user_tensors import UserTensor


def holds_tensors(tree: Any) -> bool:
    """Tell whether a list, tuple or dictionary holds tensors or arrays, and is not an array in lists itself."""
    while is_branch(tree):
        if not tree:
            return False
        tree = next(iter(tree.values() if isinstance(tree, dict) else tree))
    return hasattr(tree, "shape") or tree is None


def holds_symbols(inputs: Any) -> bool:
    """Tell whether a layer is called on symbolic tensors, and not on tensors or arrays."""
    return isinstance(inputs, SymbolicTensor) or (is_branch(inputs) and holds_tensors(inputs) and is_symbolic(inputs))


def came_from_torch(inputs: Any) -> bool:
    """Tell whether all inputs are torch's own tensors, so that the outputs are to be, too."""
    if isinstance(inputs, Tensor):
        return not isinstance(inputs, UserTensor)
    tensors = [leaf for leaf in flatten(inputs) if isinstance(leaf, Tensor)] if is_branch(inputs) else []
    return bool(tensors) and not any(isinstance(tensor, UserTensor) for tensor in tensors)
