"""RegNet: stages of equal blocks, whose widths and depths a search over whole design spaces has found.

Source:
    Radosavovic, Kosaraju, Girshick, He and Dollár, Designing Network Design Spaces, 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .. import backend, layers
from ._checksums import CHECKSUMS
from ._frames import Shape
from ._network import Network, Options
from ._weight_files import ORIGIN, WeightFile

# Kind and size → how many blocks the four stages have, their channels, and how many of them a convolution groups.
SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...], int]] = {
    "x002": ((1, 1, 4, 7), (24, 56, 152, 368), 8),
    "x004": ((1, 2, 7, 12), (32, 64, 160, 384), 16),
    "x006": ((1, 3, 5, 7), (48, 96, 240, 528), 24),
    "x008": ((1, 3, 7, 5), (64, 128, 288, 672), 16),
    "x016": ((2, 4, 10, 2), (72, 168, 408, 912), 24),
    "x032": ((2, 6, 15, 2), (96, 192, 432, 1008), 48),
    "x040": ((2, 5, 14, 2), (80, 240, 560, 1360), 40),
    "x064": ((2, 4, 10, 1), (168, 392, 784, 1624), 56),
    "x080": ((2, 5, 15, 1), (80, 240, 720, 1920), 120),
    "x120": ((2, 5, 11, 1), (224, 448, 896, 2240), 112),
    "x160": ((2, 6, 13, 1), (256, 512, 896, 2048), 128),
    "x320": ((2, 7, 13, 1), (336, 672, 1344, 2520), 168),
    "y002": ((1, 1, 4, 7), (24, 56, 152, 368), 8),
    "y004": ((1, 3, 6, 6), (48, 104, 208, 440), 8),
    "y006": ((1, 3, 7, 4), (48, 112, 256, 608), 16),
    "y008": ((1, 3, 8, 2), (64, 128, 320, 768), 16),
    "y016": ((2, 6, 17, 2), (48, 120, 336, 888), 24),
    "y032": ((2, 5, 13, 1), (72, 216, 576, 1512), 24),
    "y040": ((2, 6, 12, 2), (128, 192, 512, 1088), 64),
    "y064": ((2, 7, 14, 2), (144, 288, 576, 1296), 72),
    "y080": ((2, 4, 10, 1), (168, 448, 896, 2016), 56),
    "y120": ((2, 5, 11, 1), (224, 448, 896, 2240), 112),
    "y160": ((2, 4, 11, 1), (224, 448, 1232, 3024), 112),
    "y320": ((2, 5, 12, 1), (232, 696, 1392, 3712), 232),
}


class RegNet(Network):
    """A RegNet.

    Args:
        kind: A key of `SIZES`; one with a Y weights the channels of its blocks.
        options: What the user asks for.
        model_name: The name of the model, with which those of its layers begin.
        include_preprocessing: Whether it scales pictures from 0 to 255 itself.
    """

    normalization: ClassVar[Mapping[str, Any]] = {"momentum": 0.9, "epsilon": 1e-5}
    names_pooling = False

    def __init__(self, kind: str, options: Options, model_name: str, include_preprocessing: bool) -> None:
        super().__init__(model_name, options)
        self.kind, self.include_preprocessing = kind, include_preprocessing

    def body(self, x: Any) -> Any:
        """Return what the stages make of pictures."""
        if self.include_preprocessing:
            x = layers.Rescaling(1 / 255, name=f"{self.name}_prestem_rescaling")(x)
        x = self.conv(x, 32, 3, f"{self.name}_stem_conv", strides=2, padding="same")
        x = self.activated(x, f"{self.name}_stem_bn", f"{self.name}_stem_relu")
        depths, widths, _ = SIZES[self.kind]
        letter = self.kind[0].upper()
        for stage, (depth, width) in enumerate(zip(depths, widths)):
            for i in range(depth):
                name = f"{self.name}_Stage_{stage}_{letter}Block_{i}"
                x = self.block(x, width, name, strides=2 if i == 0 else 1)
        return x

    def conv(self, x: Any, filters: int, kernel: int, name: str, **settings: Any) -> Any:
        """Return a convolution of a tensor."""
        layer = layers.Conv2D(filters, kernel, use_bias=False, kernel_initializer="he_normal", name=name, **settings)
        return layer(x)

    def activation(self, name: str | None = None) -> Any:
        """Return a layer that activates."""
        return layers.ReLU(name=name)

    def block(self, x: Any, filters: int, name: str, strides: int) -> Any:
        """Return the sum of a shortcut and a bottleneck whose middle convolution has groups."""
        start = x
        shortcut = x
        if strides > 1:
            shortcut = self.conv(x, filters, 1, f"{name}_skip_1x1", strides=strides)
            shortcut = self.normalized(shortcut, f"{name}_skip_bn")
        x = self.conv(x, filters, 1, f"{name}_conv_1x1_1")
        x = self.activated(x, f"{name}_conv_1x1_1_bn", f"{name}_conv_1x1_1_relu")
        groups = max(1, filters // SIZES[self.kind][2])  # X080 is narrower than one of its groups at first
        x = self.conv(x, filters, 3, f"{name}_conv_3x3", strides=strides, groups=groups, padding="same")
        x = self.activated(x, f"{name}_conv_3x3_bn", f"{name}_conv_3x3_relu")
        if self.kind.startswith("y"):
            x = self.weighted(x, start.shape[self.axis] // 4, f"{name}_squeeze_and_excite")
        x = self.conv(x, filters, 1, f"{name}_conv_1x1_2")
        x = self.normalized(x, f"{name}_conv_1x1_2_bn")
        return layers.ReLU(name=f"{name}_exit_relu")(x + shortcut)

    def weighted(self, x: Any, reduced: int, name: str) -> Any:
        """Return a tensor whose channels are weighted by what they are on the average."""
        weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_gap")(x)
        for step, filters, activation in (
            ("squeeze", reduced, "relu"),
            ("excite", x.shape[self.axis], "sigmoid"),
        ):
            weights = layers.Conv2D(
                filters, 1, activation=activation, kernel_initializer="he_normal", name=f"{name}_{step}"
            )(weights)
        return weights * x

    def head(self, x: Any) -> Any:
        """Return the classes' scores: as in Keras 2.15 they are logits, whatever `classifier_activation` says."""
        place = backend.get_uid("head")
        x = layers.GlobalAveragePooling2D(name=f"{place}_head_gap")(x)
        return layers.Dense(self.options.classes, name=f"{place}head_dense")(x)

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet."""
        top, name = self.options.include_top, f"regnet{self.kind}"
        return WeightFile(f"{name}{'' if top else '_notop'}.h5", f"{ORIGIN}regnet/", CHECKSUMS[name][not top])
