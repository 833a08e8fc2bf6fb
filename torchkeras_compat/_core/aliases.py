"""Gradients by tensors that are another view of one in torch's record, as all are that user code is handed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge


def gradients_by(
    tensors: Sequence[Tensor],
    ends: Sequence[Tensor],
    weights: Sequence[Tensor | None] | None = None,
    create_graph: bool = True,
) -> list[Tensor | None]:
    """Return the gradients of a sum by tensors, or by what they are another view of; `None` where it has none.

    Args:
        tensors: What to differentiate by, which costs one pass for all of them.
        ends: What is summed; none of it may be without a record.
        weights: The weight of each element; `None` for 1 where it is a number.
        create_graph: Whether gradients have gradients.
    """

    def passed(sources: Sequence[Any]) -> Sequence[Tensor | None]:
        return torch.autograd.grad(ends, sources, weights, True, create_graph, allow_unused=True)

    wanted = {id(tensor): tensor for tensor in tensors if tensor.requires_grad}
    if not wanted or not ends:
        return [None for _ in tensors]
    grads = dict(zip(wanted, passed(list(wanted.values()))))
    for key in [key for key, grad in grads.items() if grad is None]:
        of_origins = (passed([origin])[0] for origin in origins(wanted[key]))
        grads[key] = next((grad for grad in of_origins if grad is not None), None)
    return [grads.get(id(tensor)) for tensor in tensors]


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
