"""LSTM whose product with the recurrent weights is a convolution: its walk with a written-out gradient.

The gradient of the weights is one convolution over all steps at the end, where autograd would take one at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .recurrent.formulas import LSTMFormula
from .recurrent.products import Grad, Product, WrittenProduct
from .spatial import SpatialLayer


class ConvolvedState:
    """A convolution of the state that keeps its size, of windows with a middle, on channels that are last.

    Args:
        layer: Tells how torch takes an image.
        r: The window, as torch has it.
    """

    def __init__(self, layer: SpatialLayer, r: Tensor) -> None:
        self.layer, self.window = layer, r
        sizes = r.shape[2:]
        one, none = [1] * len(sizes), [0] * len(sizes)
        self._way = (one, [size // 2 for size in sizes], one, False, none, 1)
        self._like: Tensor | None = None

    def __call__(self, h: Tensor) -> Tensor:
        """Return the convolution of a state."""
        return self.layer.to_keras(torch.convolution(self.layer.to_torch(h), self.window, None, *self._way))

    def gradient_of_state(self, dy: Tensor) -> Tensor:
        """Return the gradient of the state, from that of its convolution."""
        dy = self.layer.to_torch(dy)
        if self._like is None:  # of which the kernel reads the shape and the order in memory
            shape = (dy.shape[0], self.window.shape[1], *dy.shape[2:])
            kind = torch.channels_last if dy.dim() == 4 else torch.channels_last_3d
            self._like = dy.new_empty(shape).contiguous(memory_format=kind)
        return self.layer.to_keras(self._backward(dy, self._like, [True, False, False])[0])

    def gradient_of_window(self, dy: Tensor, h: Tensor) -> Tensor:
        """Return the gradient of the window, from that of the convolution of many states."""
        gradient: Tensor = self._backward(self.layer.to_torch(dy), self.layer.to_torch(h), [False, True, False])[1]
        return gradient

    def _backward(self, dy: Tensor, h: Tensor, wanted: list[bool]) -> Any:
        return torch.ops.aten.convolution_backward(dy, h, self.window, None, *self._way, wanted)


class ConvolvedProduct(Product):
    """What stands for the product in the definition, which autograd records."""

    def __init__(self, layer: SpatialLayer, r: Tensor) -> None:
        self._convolved = ConvolvedState(layer, r)

    def __call__(self, base: Tensor | None, h: Tensor, first: int = 0, last: int | None = None) -> Tensor:
        """Return `base` and the convolution of a state; see `Product`."""
        y = self._convolved(h)
        return y if base is None else base + y


class WrittenConvolution(WrittenProduct):
    """What stands for the product where its gradient is written out."""

    def __init__(self, layer: SpatialLayer, r: Tensor) -> None:
        self.r = r
        self._convolved = ConvolvedState(layer, r)

    def add(self, z: Tensor, h: Tensor) -> Tensor:
        """Add the convolution of a state; see `WrittenProduct`."""
        return z.add_(self._convolved(h))

    def gradient(self, dz: Tensor, base: Grad = None) -> Tensor:
        """Return the gradient of the state; see `WrittenProduct`."""
        of_state = self._convolved.gradient_of_state(dz)
        return of_state if base is None else of_state.add_(base)

    def of_weights(self, dz: Tensor, h: Tensor) -> Tensor:
        """Return the gradient of the window; see `WrittenProduct`."""
        return self._convolved.gradient_of_window(dz.flatten(0, 1), h.flatten(0, 1))


@dataclass(frozen=True)
class ConvLSTMFormula(LSTMFormula):
    """The mathematics of one step.

    Attributes:
        layer: Tells how torch takes an image.
    """

    layer: Any = None

    def product(self, r: Tensor, drop: Grad) -> Product:
        """Return the convolution as the definition has it."""
        return ConvolvedProduct(self.layer, r)

    def written_product(self, r: Tensor, drop: Grad) -> WrittenProduct:
        """Return the convolution with its gradient."""
        return WrittenConvolution(self.layer, r)

    def serves(self, x: Tensor, window: Sequence[int]) -> bool:
        """Tell whether the written-out gradient is that of such a sequence.

        Args:
            x: The inputs.
            window: The sizes of the window.
        """
        return self.has_gradient and x.device.type == "cpu" and all(size % 2 for size in window)
