"""Clipping of gradients: by value, by each weight's own norm, by the norm over all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from .._core.dialects import Rules
from . import foreach
from .foreach import Tensors, joined_positions


class _Group(Protocol):
    @property
    def params(self) -> Tensors:
        """The parameters that a group steps together."""


G = TypeVar("G", bound=_Group)
Joined = Sequence[Sequence[int]]  # positions of gradients that are parts of one weight


def by_value(grads: Tensors, limit: float, joined: Joined = ()) -> Tensors:
    """Return gradients with every element in [−limit, limit]."""
    return foreach.clamp(grads, -limit, limit)


def by_norm(grads: Tensors, limit: float, joined: Joined = ()) -> Tensors:
    """Return gradients of which each whose own L2 norm exceeds `limit` is scaled down to it.

    Args:
        grads: The gradients.
        limit: The bound.
        joined: Positions of gradients that are parts of one weight, and have one norm.
    """
    each = list(torch._foreach_norm(grads))
    for part in (part for part in joined if len(part) > 1):
        norm = torch.linalg.vector_norm(torch.stack([each[i] for i in part]))
        each = [norm if i in part else own for i, own in enumerate(each)]
    norms = torch.stack(each)
    return list(torch._foreach_mul(grads, list(_scale(norms, limit).unbind())))


def by_global_norm(grads: Tensors, limit: float, joined: Joined = ()) -> Tensors:
    """Return gradients scaled by one factor where the L2 norm over all of them exceeds `limit`."""
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
    return list(torch._foreach_mul(grads, _scale(norm, limit)))


def _scale(norm: Tensor, limit: float) -> Tensor:
    return limit / norm.clamp(min=limit)


CLIPS: dict[str, Callable[[Tensors, float, Joined], Tensors]] = {
    "clipvalue": by_value,
    "clipnorm": by_norm,
    "global_clipnorm": by_global_norm,
}


@dataclass(frozen=True)
class Clipping:
    """The clippings of one optimizer.

    Attributes:
        limits: Pairs of a clipping, `'clipvalue'`, `'clipnorm'` or `'global_clipnorm'`, and its bound, in the order in
            which they apply.

    Example:
        >>> Clipping((("clipvalue", 0.5),))([torch.tensor([2.0, -0.25])])
        [tensor([ 0.5000, -0.2500])]
    """

    limits: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, float | None], rules: Rules) -> Clipping:
        """Return the clippings that options of these names ask for under a dialect's rules."""
        asked = [n for n in rules.clip_order if options[n] or (rules.bounds_of_zero and options[n] is not None)]
        together = {"clipnorm": "global_clipnorm"} if rules.global_clipnorm else {}
        limits = [(together.get(name, name), float(options[name] or 0.0)) for name in asked]
        return cls(tuple(limits[:1] if rules.clip_once else limits))

    @property
    def names(self) -> tuple[str, ...]:
        """The clippings in their order."""
        return tuple(name for name, _ in self.limits)

    @property
    def needs_each(self) -> bool:
        """Whether gradients must come one tensor a weight, not as one flat tensor for many."""
        return "clipnorm" in self.names

    @torch.no_grad()
    def __call__(self, grads: Tensors, joined: Joined = ()) -> Tensors:
        """Return clipped gradients; those given stay as they are.

        Args:
            grads: The gradients.
            joined: Positions of those that are parts of one weight.
        """
        for name, limit in self.limits if grads else ():
            grads = CLIPS[name](grads, limit, joined)
        return grads

    def together(
        self, gradients: list[tuple[G, Tensors]], parts: Mapping[Tensor, int] | None = None
    ) -> list[tuple[G, Tensors]]:
        """Return the gradients of several parameter groups, clipped by the norms over all of them.

        Args:
            gradients: Pairs of a group and its gradients.
            parts: Parameter → a number that those of one weight have in common, for weights of several parameters.
        """
        joined: Joined = ()
        if parts and self.needs_each:
            joined = joined_positions([param for group, _ in gradients for param in group.params], parts)
        clipped = iter(self([grad for _, grads in gradients for grad in grads], joined))
        return [(group, [next(clipped) for _ in grads]) for group, grads in gradients]
