"""Tensors that are another view of a tensor in torch's record, as all are that user code is handed."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor
from torch.autograd.graph import GradientEdge


def origins(tensor: Tensor) -> Iterator[GradientEdge]:
    """Yield the places in the record that a tensor is only another view of.

    What is computed of a layer's output hangs on the output itself: a gradient by what a user has of it is found there.

    Args:
        tensor: The tensor.
    """
    node = tensor.grad_fn
    while node is not None and node.name() == "AliasBackward0":
        ((node, place),) = node.next_functions
        if node is not None:
            yield GradientEdge(node, place)
