"""The masks of symbolic tensors, as layers tell them: symbolic tensors too, or `None`."""

from __future__ import annotations

from typing import Any

import torch

from ..._core import settings
from ..._core.shape_runs import on_two_sizes, sizes_in
from ..._core.symbolic import SymbolicTensor, inputs_before, masks_of, symbols_like
from .layer import Layer
from .runs_on_zeros import Zeros
from .traits import Traits


class MaskOf(Layer):
    """Gives the mask of its input.

    Args:
        symbol: What stands for the mask in graphs.
        kwargs: The arguments of every layer.
    """

    _class_traits = Traits(row_wise=True)

    def __init__(self, symbol: SymbolicTensor, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._symbol = symbol

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask."""
        return mask

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Give no mask: a mask has none of its own."""

    def _symbolic_outputs(self, *call: Any) -> SymbolicTensor:
        return self._symbol


def symbolic_mask(tensor: SymbolicTensor) -> Any:
    """Return the mask of a symbolic tensor, `None` where it has none.

    Whether there is one, and of which shape, the layers before it tell in runs on zeros.

    Args:
        tensor: The tensor.
    """
    inputs = inputs_before(tensor)

    def mask(size: int) -> Any:
        zeros = Zeros(size, settings.default_device(), None).instead_of(inputs)
        with torch.no_grad():
            return masks_of([tensor], dict(zip(inputs, zeros)))[0]

    first, second = on_two_sizes(mask, sizes=lambda: sizes_in(inputs))
    return None if first is None else MaskOf(symbols_like(first, second, f"{tensor.name}/mask"))(tensor)


Layer._symbolic_mask = staticmethod(symbolic_mask)
