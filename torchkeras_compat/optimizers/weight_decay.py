"""Weight decay: what each step takes off every weight first, and the weights that are left out of it."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from . import foreach
from .foreach import Scalar, Tensors


class WeightDecay:
    """The decay of the weights of one optimizer.

    Attributes:
        excluded: Parameters that do not decay.
        excluded_names: Parts of the names of others that do not.
    """

    def __init__(self) -> None:
        self.excluded: set[Tensor] = set()
        self.excluded_names: list[str] = []

    @property
    def by_parameter(self) -> bool:
        """Whether some parameters decay and others do not."""
        return bool(self.excluded or self.excluded_names)

    def note_names(self, named: Iterable[tuple[str, Tensor]]) -> None:
        """Leave out the parameters whose names contain one of `excluded_names`."""
        if self.excluded_names:
            self.excluded |= {param for name, param in named if any(part in name for part in self.excluded_names)}

    def apply(self, params: Tensors, keep: Scalar) -> None:
        """Multiply parameters by what a step keeps of them."""
        decayed = [p for p in params if p not in self.excluded] if self.excluded else params
        if decayed:
            foreach.mul_(decayed, keep)
