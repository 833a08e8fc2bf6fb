"""Xception: separable convolutions with shortcuts around each block.

Source:
    Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, 2016.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .. import layers
from ._network import Network


class XceptionNetwork(Network):
    """Xception."""

    size = 299
    smallest: ClassVar[int] = 71
    names_pooling = False

    def body(self, x: Any) -> Any:
        """Return what the entry, the middle and the exit make of pictures."""
        for i, (filters, strides) in enumerate(((32, 2), (64, 1)), start=1):
            name = f"block1_conv{i}"
            x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=name)(x)
            x = self.activated(x, f"{name}_bn", f"{name}_act")
        for block, filters in ((2, 128), (3, 256), (4, 728)):
            x = self.reducing(x, (filters, filters), block, first_is_active=block == 2)
        for block in range(5, 13):
            shortcut = x
            for i in (1, 2, 3):
                x = self.separable(x, 728, f"block{block}_sepconv{i}")
            x = layers.Add()([x, shortcut])
        x = self.reducing(x, (728, 1024), 13)
        for i, filters in ((1, 1536), (2, 2048)):
            name = f"block14_sepconv{i}"
            x = self.activation(f"{name}_act")(self.separable(x, filters, name, activate=False))
        return x

    def reducing(self, x: Any, filters: tuple[int, int], block: int, first_is_active: bool = False) -> Any:
        """Return the sum of two separable convolutions, pooled, and a convolution that takes every second point."""
        shortcut = layers.Conv2D(filters[1], 1, strides=2, padding="same", use_bias=False)(x)
        shortcut = self.normalized(shortcut)
        for i, width in enumerate(filters, start=1):
            x = self.separable(x, width, f"block{block}_sepconv{i}", activate=i > 1 or not first_is_active)
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
        return layers.Add()([x, shortcut])

    def separable(self, x: Any, filters: int, name: str, activate: bool = True) -> Any:
        """Return a separable convolution of an activated tensor, normalized."""
        if activate:
            x = self.activation(f"{name}_act")(x)
        x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
        return self.normalized(x, f"{name}_bn")
