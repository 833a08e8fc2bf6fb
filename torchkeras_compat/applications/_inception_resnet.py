"""Inception with shortcuts, second version: the branches of a block are added to what it gets.

Source:
    Szegedy, Ioffe, Vanhoucke and Alemi, Inception-v4, Inception-ResNet and the Impact of Residual Connections on
    Learning, 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .. import layers
from .._core import registry
from ..layers.merging import MergingLayer
from ._inception import Inception, Kernel
from ._network import Options

Convolution = tuple[int, Kernel]
"""Channels, and the size of the kernel."""


@registry.register("layer")
class CustomScaleLayer(MergingLayer):
    """A tensor and a share of another one.

    Args:
        scale: The factor of the second tensor.
        kwargs: The arguments of every layer.

    Shape:
        Input: a list of two tensors whose shapes fit. Output: the shape that they are brought to.

    Example:
        >>> import numpy as np
        >>> CustomScaleLayer(0.5)([np.ones((1, 2)), np.ones((1, 2))]).tolist()
        [[1.5, 1.5]]
    """

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def _merge_function(self, inputs: Sequence[Tensor]) -> Tensor:
        first, second = inputs
        return first + self.scale * second


class InceptionResNet(Inception):
    """The second version of Inception with shortcuts.

    Args:
        options: What the user asks for.
    """

    # Block → how many of them, how much of their branches counts, and the branches.
    BLOCKS: tuple[tuple[str, int, float, tuple[tuple[Convolution, ...], ...]], ...] = (
        ("block35", 10, 0.17, (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3)))),
        ("block17", 20, 0.1, (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1))))),
        ("block8", 10, 0.2, (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1))))),
    )

    def __init__(self, options: Options) -> None:
        super().__init__("inception_resnet_v2", options)

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        x = self.stem(x)
        branches = [self.chain(x, *branch) for branch in (((96, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3)))]
        x = self.joined([*branches, self.averaged(x, 64)], "mixed_5b")
        between = (
            ("mixed_6a", (((384, 3),), ((256, 1), (256, 3), (384, 3)))),
            ("mixed_7a", (((256, 1), (384, 3)), ((256, 1), (288, 3)), ((256, 1), (288, 3), (320, 3)))),
            None,
        )
        for (name, count, share, kind), reduction in zip(self.BLOCKS, between):
            for i in range(1, count + 1):
                last = reduction is None and i == count  # adds its branches as they are, and is not activated
                x = self.block(x, kind, 1.0 if last else share, f"{name}_{i}", activate=not last)
            if reduction is not None:
                x = self.reduction(x, *reduction)
        x = layers.Conv2D(1536, 1, padding="same", use_bias=False, name="conv_7b")(x)
        return self.activated(x, "conv_7b_bn", "conv_7b_ac")

    def chain(self, x: Any, *convolutions: Convolution) -> Any:
        """Return convolutions, one behind the other."""
        for filters, kernel in convolutions:
            x = self.conv(x, filters, kernel)
        return x

    def block(
        self, x: Any, branches: tuple[tuple[Convolution, ...], ...], share: float, name: str, activate: bool
    ) -> Any:
        """Return the sum of a tensor and a share of what the branches make of it."""
        mixed = self.joined([self.chain(x, *branch) for branch in branches], f"{name}_mixed")
        mixed = layers.Conv2D(x.shape[self.axis], 1, padding="same", name=f"{name}_conv")(mixed)
        x = CustomScaleLayer(share)([x, mixed])
        return self.activation(f"{name}_ac")(x) if activate else x

    def reduction(self, x: Any, name: str, branches: tuple[tuple[Convolution, ...], ...]) -> Any:
        """Return branches that halve height and width, each by its last convolution."""
        halved = [self.conv(self.chain(x, *before), *last, strides=2, padding="valid") for *before, last in branches]
        return self.joined([*halved, layers.MaxPooling2D(3, strides=2)(x)], name)
