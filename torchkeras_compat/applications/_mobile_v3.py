"""MobileNetV3: blocks as in the second version, some of which weight their channels, and activations of two kinds.

Source:
    Howard and others, Searching for MobileNetV3, 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .. import layers
from ._checksums import CHECKSUMS
from ._frames import Frame, Shape
from ._mobile import Mobile
from ._network import IMAGENET, Options, to_multiple
from ._weight_files import ORIGIN, WeightFile


@dataclass(frozen=True)
class Block:
    """A block.

    Attributes:
        widening: By how much it widens inside.
        filters: What it gives.
        kernel: The size of its kernel.
        strides: Its strides.
        weighted: Whether its channels are weighted.
        hard: Whether it activates by `hard_swish`, and not by ReLU.
    """

    widening: float
    filters: int
    kernel: int
    strides: int
    weighted: bool
    hard: bool


BLOCKS = {
    "small": (
        Block(1, 16, 3, 2, True, False),
        Block(72 / 16, 24, 3, 2, False, False),
        Block(88 / 24, 24, 3, 1, False, False),
        Block(4, 40, 5, 2, True, True),
        *(2 * (Block(6, 40, 5, 1, True, True),)),
        *(2 * (Block(3, 48, 5, 1, True, True),)),
        Block(6, 96, 5, 2, True, True),
        *(2 * (Block(6, 96, 5, 1, True, True),)),
    ),
    "large": (
        Block(1, 16, 3, 1, False, False),
        Block(4, 24, 3, 2, False, False),
        Block(3, 24, 3, 1, False, False),
        Block(3, 40, 5, 2, True, False),
        *(2 * (Block(3, 40, 5, 1, True, False),)),
        Block(6, 80, 3, 2, False, True),
        Block(2.5, 80, 3, 1, False, True),
        *(2 * (Block(2.3, 80, 3, 1, False, True),)),
        *(2 * (Block(6, 112, 3, 1, True, True),)),
        Block(6, 160, 5, 2, True, True),
        *(2 * (Block(6, 160, 5, 1, True, True),)),
    ),
}
LAST = {"small": 1024, "large": 1280}
"""Channels of the convolution behind the pooling."""


class ThirdVersion(Mobile):
    """MobileNetV3.

    Args:
        kind: `'small'` or `'large'`.
        options: What the user asks for.
        alpha: The factor of the width.
        minimalistic: Whether it does without weighted channels, kernels 5 × 5 and `hard_swish`.
        dropout_rate: What part of the last features the head drops.
        include_preprocessing: Whether it scales pictures from 0 to 255 itself.
    """

    sizes = (224,)
    normalization: ClassVar[Mapping[str, Any]] = {"momentum": 0.999}
    names_pooling = True

    def __init__(
        self,
        kind: str,
        options: Options,
        alpha: float,
        minimalistic: bool,
        dropout_rate: float,
        include_preprocessing: bool,
    ) -> None:
        super().__init__(f"MobilenetV3{kind}", alpha, options)
        self.kind, self.minimalistic, self.dropout_rate = kind, minimalistic, dropout_rate
        self.include_preprocessing = include_preprocessing
        self.alphas = (1.0,) if minimalistic else (0.75, 1.0)

    def model_name(self, shape: Shape) -> str:
        """Return the name of the model, which tells neither width nor size."""
        return self.name

    def input_shape(self) -> Shape:
        """Return the shape of a picture, the user's if it fits; the head takes pictures of any size."""
        frame = Frame(self.name, self.size, self.smallest, self.channels_first)
        return frame.fitted(self.options.input_shape, flat=False, pretrained=self.options.weights == IMAGENET)

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        hard = not self.minimalistic
        if self.include_preprocessing:
            x = layers.Rescaling(1.0 / 127.5, offset=-1.0)(x)
        x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="Conv")(x)
        x = self.active(self.normalized(x, "Conv/BatchNorm"), hard)
        for i, block in enumerate(BLOCKS[self.kind]):
            x = self.block(x, block, f"expanded_conv_{i}" if i else "expanded_conv")
        width = to_multiple(6 * x.shape[self.axis])
        x = layers.Conv2D(width, 1, padding="same", use_bias=False, name="Conv_1")(x)
        return self.active(self.normalized(x, "Conv_1/BatchNorm"), hard)

    def head(self, x: Any) -> Any:
        """Return the classes' probabilities."""
        options, last = self.options, LAST[self.kind]
        width = to_multiple(last * self.alpha) if self.alpha > 1 else last
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Conv2D(width, 1, padding="same", name="Conv_2")(x)
        x = self.active(x, not self.minimalistic)
        if self.dropout_rate > 0:
            x = layers.Dropout(self.dropout_rate)(x)
        x = layers.Conv2D(options.classes, 1, padding="same", name="Logits")(x)
        x = layers.Flatten()(x)
        return layers.Activation(options.classifier_activation, name="Predictions")(x)

    def block(self, x: Any, block: Block, name: str) -> Any:
        """Return what a block makes of a tensor, with a shortcut where it changes no shape."""
        start, channels = x, x.shape[self.axis]
        hard, kernel = block.hard and not self.minimalistic, 3 if self.minimalistic else block.kernel
        width = to_multiple(channels * block.widening)
        if block.widening != 1:
            x = layers.Conv2D(width, 1, padding="same", use_bias=False, name=f"{name}/expand")(x)
            x = self.active(self.normalized(x, f"{name}/expand/BatchNorm"), hard)
        if block.strides == 2:
            x = layers.ZeroPadding2D(self.halving_pad(x, kernel), name=f"{name}/depthwise/pad")(x)
        x = layers.DepthwiseConv2D(
            kernel,
            strides=block.strides,
            padding="same" if block.strides == 1 else "valid",
            use_bias=False,
            name=f"{name}/depthwise",
        )(x)
        x = self.active(self.normalized(x, f"{name}/depthwise/BatchNorm"), hard)
        if block.weighted and not self.minimalistic:
            x = self.weighted(x, width, f"{name}/squeeze_excite")
        filters = to_multiple(block.filters * self.alpha)
        x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}/project")(x)
        x = self.normalized(x, f"{name}/project/BatchNorm")
        if block.strides == 1 and channels == filters:
            x = layers.Add(name=f"{name}/Add")([start, x])
        return x

    def weighted(self, x: Any, channels: int, name: str) -> Any:
        """Return a tensor whose channels are weighted by what they are on the average."""
        weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}/AvgPool")(x)
        weights = layers.Conv2D(to_multiple(channels / 4), 1, padding="same", name=f"{name}/Conv")(weights)
        weights = layers.ReLU(name=f"{name}/Relu")(weights)
        weights = layers.Conv2D(channels, 1, padding="same", name=f"{name}/Conv_1")(weights)
        return layers.Multiply(name=f"{name}/Mul")([x, _hard_sigmoid(weights)])

    def active(self, x: Any, hard: bool) -> Any:
        """Return a tensor, activated by `hard_swish` or by ReLU."""
        return layers.Multiply()([x, _hard_sigmoid(x)]) if hard else layers.ReLU()(x)

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet."""
        top = self.options.include_top
        kind = f"{self.kind}_minimalistic" if self.minimalistic else self.kind
        name = f"mobilenet_v3_{kind}_224_{self.alpha}"
        ending = "" if top else "_no_top_v2"
        return WeightFile(f"weights_{name}_float{ending}.h5", f"{ORIGIN}mobilenet_v3/", CHECKSUMS[name][not top])


def _hard_sigmoid(x: Any) -> Any:
    return layers.ReLU(6.0)(x + 3.0) * (1 / 6)
