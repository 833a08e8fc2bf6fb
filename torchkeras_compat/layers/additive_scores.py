"""The scores of AdditiveAttention, computed a few queries at a time: all sums at once are much larger than a cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

SUMS_AT_ONCE = 2**19  # numbers: two megabytes of float32


def additive_scores(query: Tensor, key: Tensor, scale: Tensor | None) -> Tensor:
    """Return `Σ scale · tanh(query + key)` over the features.

    Args:
        query: `(batch, queries, features)`.
        key: `(batch, keys, features)`.
        scale: The weight of each feature; `None` for 1.

    Shape:
        Output: `(batch, queries, keys)`.

    Source:
        Bahdanau, Cho & Bengio, 2014.
    """
    sums = torch.tanh(query.unsqueeze(-2) + key.unsqueeze(-3))
    return sums.sum(-1) if scale is None else torch.matmul(sums, scale)


def worth_parts(query: Tensor, key: Tensor) -> bool:
    """Tell whether the sums of all pairs are so many that parts of them are faster: on the CPU, in full floats."""
    pairs = query.dim() == key.dim() == 3 and query.shape[0] == key.shape[0]
    if not pairs or query.device.type != "cpu" or query.dtype not in (torch.float32, torch.float64):
        return False
    return query.numel() * key.shape[1] > SUMS_AT_ONCE


def scores_in_parts(query: Tensor, key: Tensor, scale: Tensor) -> Tensor:
    """Return `additive_scores`, whose gradient computes the sums again instead of keeping them."""
    return _InParts.apply(query, key, scale)  # type: ignore[no-any-return, no-untyped-call]


class _InParts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(query, key, scale)
        scores = query.new_empty(*query.shape[:2], key.shape[1])
        for sample, some in _parts(query, key):
            scores[sample, some] = _sums(query[sample, some], key[sample]) @ scale
        return scores

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        query, key, scale = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of this gradient is asked for
            inputs = [t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in (query, key, scale)]
            return torch.autograd.grad(additive_scores(*inputs), inputs, grad, create_graph=True)
        of_query, of_key, of_scale = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(scale)
        for sample, some in _parts(query, key):
            sums, g = _sums(query[sample, some], key[sample]), grad[sample, some]
            of_scale += g.reshape(-1) @ sums.view(-1, sums.shape[-1])
            slopes = sums.square_().neg_().add_(1)  # of tanh
            of_query[sample, some] = torch.bmm(g.unsqueeze(1), slopes).squeeze(1)
            of_key[sample] += torch.einsum("qk,qkf->kf", g, slopes)
        return of_query * scale, of_key * scale, of_scale


def _parts(query: Tensor, key: Tensor) -> Iterator[tuple[int, slice]]:
    """Yield samples, and slices of their queries that make as many sums as fit into a cache."""
    samples, queries, features = query.shape
    rows = max(1, SUMS_AT_ONCE // max(1, key.shape[1] * features))
    for sample in range(samples):
        for first in range(0, queries, rows):
            yield sample, slice(first, first + rows)


def _sums(query: Tensor, key: Tensor) -> Tensor:
    return (query.unsqueeze(1) + key).tanh_()
