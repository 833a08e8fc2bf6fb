"""DenseNet: each convolution sees what all convolutions of its block gave before it.

Source:
    Huang, Liu, van der Maaten and Weinberger, Densely Connected Convolutional Networks, 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .. import layers
from ._network import Network, Options

_GROWTH = 32  # channels that each convolution adds


class DenseNet(Network):
    """A DenseNet.

    Args:
        name: The name of the model.
        blocks: How many convolutions each of the four blocks has.
        options: What the user asks for.
    """

    folder = "densenet"
    normalization: ClassVar[Mapping[str, Any]] = {"epsilon": 1.001e-5}

    def __init__(self, name: str, blocks: tuple[int, ...], options: Options) -> None:
        super().__init__(name, options)
        self.blocks = blocks

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        x = layers.ZeroPadding2D(3)(x)
        x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
        x = self.activated(x, "conv1/bn", "conv1/relu")
        x = layers.ZeroPadding2D(1)(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
        channels = 64
        for block, count in enumerate(self.blocks, start=2):
            if block > 2:
                channels //= 2
                x = self.transition(x, channels, f"pool{block - 1}")
            for i in range(1, count + 1):
                x = self.grown(x, f"conv{block}_block{i}")
            channels += _GROWTH * count
        return self.activated(x, "bn", "relu")

    def grown(self, x: Any, name: str) -> Any:
        """Return a tensor with the channels that a convolution of it adds."""
        new = self.activated(x, f"{name}_0_bn", f"{name}_0_relu")
        new = layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(new)
        new = self.activated(new, f"{name}_1_bn", f"{name}_1_relu")
        new = layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
        return layers.Concatenate(axis=self.axis, name=f"{name}_concat")([x, new])

    def transition(self, x: Any, channels: int, name: str) -> Any:
        """Return a tensor with half the channels, half as high and wide."""
        x = self.activated(x, f"{name}_bn", f"{name}_relu")
        x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_conv")(x)
        return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)
