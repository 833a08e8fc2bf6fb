"""EfficientNet, second version: the first stages convolve with all channels at once instead of one by one.

Source:
    Tan and Le, EfficientNetV2: Smaller Models and Faster Training, 2021.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .. import layers
from ..initializers import Constant
from ._checksums import CHECKSUMS
from ._efficientnet import EfficientNet, Scale
from ._frames import Shape
from ._network import Options
from ._weight_files import ORIGIN, WeightFile
from ._weighted import conv_initializer


@dataclass(frozen=True)
class Stage:
    """Blocks of one width.

    Attributes:
        blocks: How many there are.
        channels: What they give.
        widening: By how much a block widens inside.
        strides: Of the first of them.
        fused: Whether they widen by a convolution 3 × 3, and do without one for each channel and without weights.
    """

    blocks: int
    channels: int
    widening: int
    strides: int
    fused: bool


def _stages(*lines: tuple[int, int, int, int]) -> tuple[Stage, ...]:
    """Return stages of these blocks, channels, widenings and strides; the first three are fused."""
    return tuple(Stage(*line, fused=i < 3) for i, line in enumerate(lines))


_B = _stages((1, 16, 1, 1), (2, 32, 4, 2), (2, 48, 4, 2), (3, 96, 4, 2), (5, 112, 6, 1), (8, 192, 6, 2))
STAGES = {
    **{f"efficientnetv2-b{i}": _B for i in range(4)},
    "efficientnetv2-s": _stages(
        (2, 24, 1, 1), (4, 48, 4, 2), (4, 64, 4, 2), (6, 128, 4, 2), (9, 160, 6, 1), (15, 256, 6, 2)
    ),
    "efficientnetv2-m": _stages(
        (3, 24, 1, 1), (5, 48, 4, 2), (5, 80, 4, 2), (7, 160, 4, 2), (14, 176, 6, 1), (18, 304, 6, 2), (5, 512, 6, 1)
    ),
    "efficientnetv2-l": _stages(
        (4, 32, 1, 1), (7, 64, 4, 2), (7, 96, 4, 2), (10, 192, 4, 2), (19, 224, 6, 1), (25, 384, 6, 2), (7, 640, 6, 1)
    ),
}


class EfficientNetV2(EfficientNet):
    """An EfficientNet of the second version.

    Args:
        name: The name of the model.
        options: What the user asks for.
        include_preprocessing: Whether it scales pictures from 0 to 255 itself.
    """

    normalization: ClassVar[Mapping[str, Any]] = {"momentum": 0.9}
    head_settings: ClassVar[Mapping[str, Any]] = {"bias_initializer": Constant(0)}
    scales: ClassVar[Mapping[str, Scale]] = {
        "efficientnetv2-b0": Scale(1.0, 1.0, 224, 0.2),
        "efficientnetv2-b1": Scale(1.0, 1.1, 240, 0.2),
        "efficientnetv2-b2": Scale(1.1, 1.2, 260, 0.2),
        "efficientnetv2-b3": Scale(1.2, 1.4, 300, 0.2),
        "efficientnetv2-s": Scale(1.0, 1.0, 384, 0.2),
        "efficientnetv2-m": Scale(1.0, 1.0, 480, 0.2),
        "efficientnetv2-l": Scale(1.0, 1.0, 480, 0.2),
    }

    def __init__(self, name: str, options: Options, include_preprocessing: bool) -> None:
        super().__init__(name, options)
        self.stages = STAGES[name]
        self.include_preprocessing = include_preprocessing

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        if self.include_preprocessing:
            x = self.preprocessed(x)
        first = 24 if self.name.endswith(("-s", "-m")) else 32
        x = self.conv(x, self.width(first), 3, strides=2, use_bias=False, name="stem_conv")
        x = self.activated(x, "stem_bn", "stem_activation")
        total = sum(stage.blocks for stage in self.stages)
        place = 0
        for number, stage in enumerate(self.stages, start=1):
            for i in range(math.ceil(self.scale.depth * stage.blocks)):
                block = self.fused_block if stage.fused else self.weighted_block
                name = f"block{number}{chr(ord('a') + i)}_"
                x = block(x, stage, stage.strides if i == 0 else 1, self.drop_connect_rate * place / total, name)
                place += 1
        x = self.conv(x, self.width(1280), 1, use_bias=False, name="top_conv")
        return self.activated(x, "top_bn", "top_activation")

    def preprocessed(self, x: Any) -> Any:
        """Return pictures from 0 to 255 as the weights expect them."""
        if self.stages is _B and x.shape[self.axis] == 3:
            return self.standardized(layers.Rescaling(1 / 255)(x))
        return layers.Rescaling(1 / 128, -1.0)(x)

    def width(self, channels: int) -> int:
        """Return the nearest multiple of eight to the channels of a layer that has so many in the smallest network."""
        return max(8, int(channels * self.scale.width + 4) // 8 * 8)

    def fused_block(self, x: Any, stage: Stage, strides: int, drop: float, name: str) -> Any:
        """Return a bottleneck that widens by a convolution 3 × 3, or is that convolution alone."""
        start, channels = x, x.shape[self.axis]
        width = self.width(stage.channels)
        if stage.widening == 1:
            x = self.conv(x, width, 3, strides=strides, use_bias=False, name=f"{name}project_conv")
            x = self.activated(x, f"{name}project_bn", f"{name}project_activation")
        else:
            inner = stage.widening * channels
            x = self.conv(x, inner, 3, strides=strides, use_bias=False, name=f"{name}expand_conv")
            x = self.activated(x, f"{name}expand_bn", f"{name}expand_activation")
            x = self.conv(x, width, 1, use_bias=False, name=f"{name}project_conv")
            x = self.normalized(x, f"{name}project_bn")
        return self.beside(start, x, strides, drop, name)

    def weighted_block(self, x: Any, stage: Stage, strides: int, drop: float, name: str) -> Any:
        """Return an inverted bottleneck whose channels are weighted."""
        start, channels = x, x.shape[self.axis]
        x = self.conv(x, stage.widening * channels, 1, use_bias=False, name=f"{name}expand_conv")
        x = self.activated(x, f"{name}expand_bn", f"{name}expand_activation")
        x = layers.DepthwiseConv2D(
            3,
            strides=strides,
            padding="same",
            use_bias=False,
            depthwise_initializer=conv_initializer(),
            name=f"{name}dwconv2",
        )(x)
        x = self.activated(x, f"{name}bn", f"{name}activation")
        return self.projected(start, x, stage.channels, strides, drop, name)

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet."""
        top = self.options.include_top
        ending = "" if top else "_notop"
        return WeightFile(f"{self.name}{ending}.h5", f"{ORIGIN}efficientnet_v2/", CHECKSUMS[self.name][not top])
