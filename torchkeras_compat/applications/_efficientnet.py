"""EfficientNet: one small network, and seven larger ones that are wider, deeper and see larger pictures.

Source:
    Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .. import layers
from .._core.errors import fraction
from ..initializers import VarianceScaling
from ._checksums import CHECKSUMS
from ._frames import Shape
from ._network import DEVIATIONS, IMAGENET, Options, to_multiple
from ._weight_files import EFFICIENTNETS, WeightFile
from ._weighted import WeightingNetwork, conv_initializer


@dataclass(frozen=True)
class Stage:
    """Blocks of one size of kernel and one width, of the smallest network.

    Attributes:
        kernel: The size of the kernel.
        blocks: How many there are.
        channels: What they give.
        widening: By how much a block widens inside.
        strides: Of the first of them.
    """

    kernel: int
    blocks: int
    channels: int
    widening: int
    strides: int


STAGES = (
    Stage(3, 1, 16, 1, 1),
    Stage(3, 2, 24, 6, 2),
    Stage(5, 2, 40, 6, 2),
    Stage(3, 3, 80, 6, 2),
    Stage(5, 3, 112, 6, 1),
    Stage(5, 4, 192, 6, 2),
    Stage(3, 1, 320, 6, 1),
)


@dataclass(frozen=True)
class Scale:
    """How much wider and deeper a network is than the smallest one, its pictures' size, and what its head drops."""

    width: float
    depth: float
    size: int
    dropout: float


SCALES = {
    "efficientnetb0": Scale(1.0, 1.0, 224, 0.2),
    "efficientnetb1": Scale(1.0, 1.1, 240, 0.2),
    "efficientnetb2": Scale(1.1, 1.2, 260, 0.3),
    "efficientnetb3": Scale(1.2, 1.4, 300, 0.3),
    "efficientnetb4": Scale(1.4, 1.8, 380, 0.4),
    "efficientnetb5": Scale(1.6, 2.2, 456, 0.4),
    "efficientnetb6": Scale(1.8, 2.6, 528, 0.5),
    "efficientnetb7": Scale(2.0, 3.1, 600, 0.5),
}


class EfficientNet(WeightingNetwork):
    """An EfficientNet, which scales pictures from 0 to 255 itself.

    Args:
        name: The name of the model.
        options: What the user asks for.
        drop_connect_rate: What part of the pictures the last block's branch is dropped for; less for those before.
    """

    head_settings: ClassVar[Mapping[str, Any]] = {}
    scales: ClassVar[Mapping[str, Scale]] = SCALES

    def __init__(self, name: str, options: Options, drop_connect_rate: float = 0.2) -> None:
        super().__init__(name, options)
        self.scale = self.scales[name]
        self.size = self.scale.size
        self.drop_connect_rate = fraction(name, "drop_connect_rate", drop_connect_rate)

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        x = layers.Rescaling(1.0 / 255.0)(x)
        x = layers.Normalization(axis=self.axis)(x)
        if self.options.weights == IMAGENET:  # these were trained on colours divided by their deviation once more
            x = layers.Rescaling([1 / math.sqrt(deviation) for deviation in DEVIATIONS])(x)
        x = layers.ZeroPadding2D(self.halving_pad(x, 3), name="stem_conv_pad")(x)
        x = self.conv(x, self.width(32), 3, strides=2, padding="valid", use_bias=False, name="stem_conv")
        x = self.activated(x, "stem_bn", "stem_activation")
        depths = [math.ceil(self.scale.depth * stage.blocks) for stage in STAGES]
        place = 0
        for number, (stage, depth) in enumerate(zip(STAGES, depths), start=1):
            for i in range(depth):
                name = f"block{number}{chr(ord('a') + i)}_"
                x = self.block(x, stage, i == 0, self.drop_connect_rate * place / sum(depths), name)
                place += 1
        x = self.conv(x, self.width(1280), 1, use_bias=False, name="top_conv")
        return self.activated(x, "top_bn", "top_activation")

    def block(self, x: Any, stage: Stage, first: bool, drop: float, name: str) -> Any:
        """Return an inverted bottleneck whose channels are weighted, with a shortcut where it changes no shape."""
        start, strides = x, stage.strides if first else 1
        channels = x.shape[self.axis]
        if stage.widening != 1:
            x = self.conv(x, stage.widening * channels, 1, use_bias=False, name=f"{name}expand_conv")
            x = self.activated(x, f"{name}expand_bn", f"{name}expand_activation")
        if strides == 2:
            x = layers.ZeroPadding2D(self.halving_pad(x, stage.kernel), name=f"{name}dwconv_pad")(x)
        x = layers.DepthwiseConv2D(
            stage.kernel,
            strides=strides,
            padding="same" if strides == 1 else "valid",
            use_bias=False,
            depthwise_initializer=conv_initializer(),
            name=f"{name}dwconv",
        )(x)
        x = self.activated(x, f"{name}bn", f"{name}activation")
        return self.projected(start, x, stage.channels, strides, drop, name)

    def projected(self, start: Any, x: Any, channels: int, strides: int, drop: float, name: str) -> Any:
        """Return the end of an inverted bottleneck: its channels are weighted and projected to fewer."""
        x = self.weighted(x, max(1, start.shape[self.axis] // 4), f"{name}se_")
        x = self.conv(x, self.width(channels), 1, use_bias=False, name=f"{name}project_conv")
        x = self.normalized(x, f"{name}project_bn")
        return self.beside(start, x, strides, drop, name)

    def beside(self, start: Any, x: Any, strides: int, drop: float, name: str) -> Any:
        """Return the sum of what a block gets and what it makes of it, or this alone where their shapes differ."""
        if strides > 1 or start.shape[self.axis] != x.shape[self.axis]:
            return x
        if drop > 0:
            x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
        return layers.Add(name=f"{name}add")([x, start])

    def activation(self, name: str | None = None) -> Any:
        """Return a layer that activates."""
        return layers.Activation("swish", name=name)

    def width(self, channels: int) -> int:
        """Return the channels of a layer that has so many in the smallest network."""
        return to_multiple(channels * self.scale.width)

    def head(self, x: Any) -> Any:
        """Return the classes' probabilities."""
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(self.scale.dropout, name="top_dropout")(x)
        start = VarianceScaling(1 / 3, mode="fan_out", distribution="uniform")
        return self.predictions(x, kernel_initializer=start, **self.head_settings)

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet."""
        top = self.options.include_top
        return WeightFile(f"{self.name}{'' if top else '_notop'}.h5", EFFICIENTNETS, CHECKSUMS[self.name][not top])
