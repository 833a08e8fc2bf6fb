"""The scores of AdditiveAttention, computed a few queries at a time: all sums at once are much larger than a cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .._core.devices import in_full_floats_on_host
from .._core.second_gradients import composed_gradients

SUMS_AT_ONCE = 2**19  # numbers: two megabytes of float32
WORTH_PARTS = 2**17  # sums of all pairs from which parts are faster


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
    return pairs and in_full_floats_on_host(query) and query.numel() * key.shape[1] > WORTH_PARTS


def scores_in_parts(query: Tensor, key: Tensor, scale: Tensor) -> Tensor:
    """Return `additive_scores`, whose gradient computes the sums again instead of keeping them."""
    return _InParts.apply(query, key, scale)  # type: ignore[no-any-return, no-untyped-call]


class _InParts(torch.autograd.Function):
    """In each part it is `h = tanh(query + key) / 2`, by way of a sigmoid, which torch has in a ninth of tanh's time.

    h differs from that by a rounding of 1, as do the sums over features.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, scale: Tensor) -> Tensor:
        ctx.save_for_backward(query, key, scale)
        scores = query.new_empty(*query.shape[:2], key.shape[1])
        twice = 2 * scale
        for part, h in _parts(query, key):
            torch.matmul(h, twice, out=scores[part])
        return scores

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (query, key, scale), needed = ctx.saved_tensors, ctx.needs_input_grad
        if torch.is_grad_enabled():  # a gradient of this gradient is asked for
            return tuple(composed_gradients(lambda *t: [additive_scores(*t)], ctx.saved_tensors, needed, [grad]))
        of_query, of_key, of_scale = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(scale)
        quarter = query.new_full((), 0.25)
        for part, h in _parts(query, key):
            g = grad[part]
            of_scale += g.reshape(-1) @ h.reshape(-1, h.shape[-1])
            slopes = torch.addcmul(quarter, h, h, value=-1, out=h).mul_(g.unsqueeze(-1))  # a quarter of those of tanh
            torch.sum(slopes, 2, out=of_query[part])
            of_key[part[0]] += slopes.sum(1)
        return of_query.mul_(4 * scale), of_key.mul_(4 * scale), of_scale.mul_(2)


def _parts(query: Tensor, key: Tensor) -> Iterator[tuple[tuple[slice, slice], Tensor]]:
    """Yield slices of samples and queries, that make as many sums as fit into a cache, and half the tanh of those."""
    samples, queries, features = query.shape
    of_a_query = max(1, key.shape[1] * features)
    some_queries = max(1, SUMS_AT_ONCE // of_a_query)
    some_samples = max(1, SUMS_AT_ONCE // (of_a_query * max(1, queries)))
    query, key = query + query, key + key
    memory = query.new_empty(min(some_samples, samples), min(some_queries, queries), *key.shape[1:])
    for sample in range(0, samples, some_samples):
        keys = key[sample : sample + some_samples].unsqueeze(1)
        for first in range(0, queries, some_queries):
            part = slice(sample, sample + some_samples), slice(first, first + some_queries)
            each = query[part].unsqueeze(2)
            sums = torch.add(each, keys, out=memory[: len(each), : each.shape[1]])
            yield part, sums.sigmoid_().sub_(0.5)
