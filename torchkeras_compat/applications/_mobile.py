"""MobileNet: depthwise convolutions, whose width is a factor.

Source:
    Howard and others, MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, 2017;
    Sandler and others, MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from .. import layers
from .._core.border import user_stacklevel
from .._core.errors import number
from ._frames import Shape
from ._network import IMAGENET, Network, Options, to_multiple
from ._weight_files import ORIGIN, WeightFile


class Mobile(Network):
    """What both versions have in common: a width, and weights for pictures of several sizes.

    Args:
        name: The beginning of the model's name.
        alpha: The factor of the width.
        options: What the user asks for.
    """

    sizes: ClassVar[tuple[int, ...]]
    """Of pictures that there are weights for."""
    alphas: tuple[float, ...]
    """Widths that there are weights for."""
    names_pooling = False

    def __init__(self, name: str, alpha: float, options: Options) -> None:
        super().__init__(name, options)
        self.alpha = number(name, "alpha", alpha)

    def activation(self, name: str | None = None) -> Any:
        """Return a layer that activates."""
        return layers.ReLU(6.0, name=name)

    def default_size(self) -> int:
        """Return the height and width of the user's pictures where there are weights for them."""
        rows, columns = self.sides(self.options.input_shape)
        return rows if rows is not None and rows == columns and rows in self.sizes else self.size

    def model_name(self, shape: Shape) -> str:
        """Return the name of the model, which tells the width and the size."""
        return f"{self.name}_{self.alpha:.2f}_{self._rows(shape)}"

    def _rows(self, shape: Shape) -> int | None:
        """Return the height of the pictures: of those that the weights are for where these are loaded."""
        rows, columns = self.sides(shape)
        if self.options.weights != IMAGENET or (rows == columns and rows in self.sizes):
            return rows
        return self.size

    def _check(self) -> None:
        super()._check()
        if self.options.weights != IMAGENET:
            return
        if self.alpha not in self.alphas:
            raise ValueError(
                f"{self.name}: there are weights of ImageNet for alpha={', '.join(map(str, self.alphas))}; "
                f"got {self.alpha}. Write weights=None for another width."
            )
        sides = self.sides(self.options.input_shape)
        if sides[0] != sides[1] or sides[0] not in self.sizes:
            warnings.warn(
                f"{self.name}: there are weights of ImageNet for square pictures of {', '.join(map(str, self.sizes))} "
                f"points; input_shape={self.options.input_shape} gets those for {self.size}.",
                stacklevel=user_stacklevel(),
            )


class FirstVersion(Mobile):
    """MobileNet: a depthwise convolution, then one of single points, thirteen times.

    Args:
        options: What the user asks for.
        alpha: The factor of the width.
        depth_multiplier: How many channels a depthwise convolution makes of one.
        dropout: What part of the last features the head drops.
    """

    sizes = (128, 160, 192, 224)
    alphas = (0.25, 0.50, 0.75, 1.0)

    def __init__(self, options: Options, alpha: float, depth_multiplier: int, dropout: float) -> None:
        super().__init__("mobilenet", alpha, options)
        self.depth_multiplier, self.dropout = depth_multiplier, dropout

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        x = layers.Conv2D(int(32 * self.alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(x)
        x = self.activated(x, "conv1_bn", "conv1_relu")
        widths = (64, 128, 128, 256, 256, *(6 * (512,)), 1024, 1024)
        for i, filters in enumerate(widths, start=1):
            x = self.block(x, int(filters * self.alpha), i, strides=2 if i in (2, 4, 6, 12) else 1)
        return x

    def block(self, x: Any, filters: int, place: int, strides: int) -> Any:
        """Return what a depthwise convolution and one of single points make of a tensor."""
        if strides > 1:
            x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{place}")(x)
        x = layers.DepthwiseConv2D(
            3,
            strides=strides,
            padding="same" if strides == 1 else "valid",
            depth_multiplier=self.depth_multiplier,
            use_bias=False,
            name=f"conv_dw_{place}",
        )(x)
        x = self.activated(x, f"conv_dw_{place}_bn", f"conv_dw_{place}_relu")
        x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{place}")(x)
        return self.activated(x, f"conv_pw_{place}_bn", f"conv_pw_{place}_relu")

    def head(self, x: Any) -> Any:
        """Return the classes' probabilities."""
        options = self.options
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Dropout(self.dropout, name="dropout")(x)
        x = layers.Conv2D(options.classes, 1, padding="same", name="conv_preds")(x)
        x = layers.Reshape((options.classes,), name="reshape_2")(x)
        return layers.Activation(options.classifier_activation, name="predictions")(x)

    def _check(self) -> None:
        super()._check()
        if self.options.weights == IMAGENET and self.depth_multiplier != 1:
            raise ValueError(
                f"{self.name}: there are weights of ImageNet for depth_multiplier=1; got {self.depth_multiplier}. "
                "Write weights=None for another."
            )

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet."""
        width = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[self.alpha]
        ending = "" if self.options.include_top else "_no_top"
        return WeightFile(f"mobilenet_{width}_{self._rows(shape)}_tf{ending}.h5", f"{ORIGIN}mobilenet/")


class SecondVersion(Mobile):
    """MobileNetV2: a block widens, convolves each channel, and narrows again.

    Args:
        options: What the user asks for.
        alpha: The factor of the width.
    """

    sizes = (96, 128, 160, 192, 224)
    alphas = (0.35, 0.50, 0.75, 1.0, 1.3, 1.4)
    normalization: ClassVar[Mapping[str, Any]] = {"momentum": 0.999}
    # Channels, how many blocks of them, and the stride of the first.
    STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))

    def __init__(self, options: Options, alpha: float) -> None:
        super().__init__("mobilenetv2", alpha, options)

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        first = to_multiple(32 * self.alpha)
        x = layers.Conv2D(first, 3, strides=2, padding="same", use_bias=False, name="Conv1")(x)
        x = self.activated(x, "bn_Conv1", "Conv1_relu")
        place = 0
        for filters, count, strides in self.STAGES:
            for i in range(count):
                x = self.block(x, filters, strides if i == 0 else 1, place)
                place += 1
        last = to_multiple(1280 * self.alpha) if self.alpha > 1 else 1280
        x = layers.Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
        return self.activated(x, "Conv_1_bn", "out_relu")

    def block(self, x: Any, filters: int, strides: int, place: int) -> Any:
        """Return an inverted bottleneck, with a shortcut where it changes no shape."""
        name = f"block_{place}_" if place else "expanded_conv_"
        start, channels = x, x.shape[self.axis]
        if place:
            x = layers.Conv2D(6 * channels, 1, padding="same", use_bias=False, name=f"{name}expand")(x)
            x = self.activated(x, f"{name}expand_BN", f"{name}expand_relu")
        if strides == 2:
            x = layers.ZeroPadding2D(self.halving_pad(x, 3), name=f"{name}pad")(x)
        padding = "same" if strides == 1 else "valid"
        x = layers.DepthwiseConv2D(3, strides=strides, use_bias=False, padding=padding, name=f"{name}depthwise")(x)
        x = self.activated(x, f"{name}depthwise_BN", f"{name}depthwise_relu")
        width = to_multiple(int(filters * self.alpha))
        x = layers.Conv2D(width, 1, padding="same", use_bias=False, name=f"{name}project")(x)
        x = self.normalized(x, f"{name}project_BN")
        return layers.Add(name=f"{name}add")([start, x]) if channels == width and strides == 1 else x

    def head(self, x: Any) -> Any:
        """Return the classes' probabilities."""
        return self.predictions(layers.GlobalAveragePooling2D()(x))

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet."""
        ending = "" if self.options.include_top else "_no_top"
        name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(self.alpha)}_{self._rows(shape)}{ending}.h5"
        return WeightFile(name, f"{ORIGIN}mobilenet_v2/")
