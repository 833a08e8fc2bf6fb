"""ResNet: bottlenecks of three convolutions beside a shortcut, whose sum is what the next block gets.

Source:
    He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, 2015, and, for the second version, Identity
    Mappings in Deep Residual Networks, 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .. import layers
from ._network import Network, Options


class ResNet(Network):
    """A ResNet: the first version, which normalizes and activates behind each convolution.

    Args:
        name: The name of the model.
        blocks: How many each of the four stacks has.
        options: What the user asks for.
    """

    folder = "resnet"
    normalization: ClassVar[Mapping[str, Any]] = {"epsilon": 1.001e-5}

    def __init__(self, name: str, blocks: tuple[int, ...], options: Options) -> None:
        super().__init__(name, options)
        self.blocks = blocks

    def body(self, x: Any) -> Any:
        """Return what the stacks make of pictures."""
        x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
        x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
        x = self.after_stem(x)
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
        for i, count in enumerate(self.blocks):
            x = self.stack(x, 64 * 2**i, count, i, f"conv{i + 2}")
        return self.after_stacks(x)

    def after_stem(self, x: Any) -> Any:
        """Return what follows the first convolution."""
        return self.activated(x, "conv1_bn", "conv1_relu")

    def stack(self, x: Any, filters: int, count: int, place: int, name: str) -> Any:
        """Return what the blocks of one size of pictures make of them."""
        x = self.block(x, filters, strides=1 if place == 0 else 2, widen=True, name=f"{name}_block1")
        for i in range(2, count + 1):
            x = self.block(x, filters, name=f"{name}_block{i}")
        return x

    def block(self, x: Any, filters: int, name: str, strides: int = 1, widen: bool = False) -> Any:
        """Return the sum of a shortcut and a bottleneck."""
        shortcut = x
        if widen:
            shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(x)
            shortcut = self.normalized(shortcut, f"{name}_0_bn")
        x = layers.Conv2D(filters, 1, strides=strides, name=f"{name}_1_conv")(x)
        x = self.activated(x, f"{name}_1_bn", f"{name}_1_relu")
        x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
        x = self.activated(x, f"{name}_2_bn", f"{name}_2_relu")
        x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
        x = self.normalized(x, f"{name}_3_bn")
        x = layers.Add(name=f"{name}_add")([shortcut, x])
        return self.activation(f"{name}_out")(x)

    def after_stacks(self, x: Any) -> Any:
        """Return what follows the last block."""
        return x


class ResNetV2(ResNet):
    """The second version, which normalizes and activates before each convolution, so that a shortcut stays as it is."""

    def after_stem(self, x: Any) -> Any:
        """Return what the first convolution gives."""
        return x

    def stack(self, x: Any, filters: int, count: int, place: int, name: str) -> Any:
        """Return what the blocks of one size make of pictures; the last of them halves it, but for the last stack."""
        x = self.block(x, filters, widen=True, name=f"{name}_block1")
        for i in range(2, count):
            x = self.block(x, filters, name=f"{name}_block{i}")
        return self.block(x, filters, strides=1 if place == 3 else 2, name=f"{name}_block{count}")

    def block(self, x: Any, filters: int, name: str, strides: int = 1, widen: bool = False) -> Any:
        """Return the sum of a shortcut and a bottleneck."""
        ready = self.activated(x, f"{name}_preact_bn", f"{name}_preact_relu")
        if widen:
            shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{name}_0_conv")(ready)
        else:
            shortcut = layers.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
        x = layers.Conv2D(filters, 1, strides=1, use_bias=False, name=f"{name}_1_conv")(ready)
        x = self.activated(x, f"{name}_1_bn", f"{name}_1_relu")
        x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
        x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(x)
        x = self.activated(x, f"{name}_2_bn", f"{name}_2_relu")
        x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
        return layers.Add(name=f"{name}_out")([shortcut, x])

    def after_stacks(self, x: Any) -> Any:
        """Return the last sum, normalized and activated."""
        return self.activated(x, "post_bn", "post_relu")
