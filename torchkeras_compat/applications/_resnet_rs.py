"""ResNet-RS: a ResNet with another stem, whose blocks weight their channels.

Source:
    Bello and others, Revisiting ResNets: Improved Training and Scaling Strategies, 2021.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from .. import backend, layers
from .._core.errors import choice
from ._checksums import CHECKSUMS
from ._frames import Frame, Shape
from ._network import IMAGENET, Options
from ._weight_files import ORIGIN, WeightFile
from ._weighted import WeightingNetwork


@dataclasses.dataclass(frozen=True)
class Plan:
    """A ResNet-RS.

    Attributes:
        blocks: How many the four stacks have.
        sizes: Heights and widths of pictures that there are weights for.
        drop_connect: What part of the pictures the branches of the last stack are dropped for; less for those before.
        dropout: What part of the last features the head drops.
    """

    blocks: tuple[int, ...]
    sizes: tuple[int, ...]
    drop_connect: float
    dropout: float


PLANS = {
    50: Plan((3, 4, 6, 3), (160,), 0.0, 0.25),
    101: Plan((3, 4, 23, 3), (160, 192), 0.0, 0.25),
    152: Plan((3, 8, 36, 3), (192, 224, 256), 0.0, 0.25),
    200: Plan((3, 24, 36, 3), (256,), 0.1, 0.25),
    270: Plan((4, 29, 53, 4), (256,), 0.1, 0.25),
    350: Plan((4, 36, 72, 4), (256, 320), 0.1, 0.4),
    420: Plan((4, 44, 87, 4), (320,), 0.1, 0.4),
}


class ResNetRS(WeightingNetwork):
    """A ResNet-RS.

    Args:
        depth: How many layers it has: a key of `PLANS`.
        options: What the user asks for; `weights` may say the size of pictures, as `'imagenet-i160'` does.
        include_preprocessing: Whether it scales pictures from 0 to 255 itself.
    """

    normalization: ClassVar[Mapping[str, Any]] = {"momentum": 0.0, "epsilon": 1e-5}
    between = "relu"

    def __init__(self, depth: int, options: Options, include_preprocessing: bool) -> None:
        name, self.plan = f"resnet-rs-{depth}", PLANS[depth]
        self.trained_size = self.plan.sizes[-1]
        weights = str(options.weights)
        if weights.startswith(f"{IMAGENET}-i"):
            sizes = tuple(f"{IMAGENET}-i{size}" for size in self.plan.sizes)
            self.trained_size = self.plan.sizes[sizes.index(choice(name, "weights", weights, sizes))]
            options = dataclasses.replace(options, weights=IMAGENET)
        super().__init__(name, options)
        self.include_preprocessing = include_preprocessing

    def input_shape(self) -> Shape:
        """Return the shape of a picture, the user's if it fits; with weights too it may be any."""
        frame = Frame(self.name, self.size, self.smallest, self.channels_first)
        return frame.fitted(self.options.input_shape, flat=self.options.include_top, pretrained=False)

    def body(self, x: Any) -> Any:
        """Return what the stacks make of pictures."""
        if self.include_preprocessing:
            x = self.standardized(layers.Rescaling(1 / 255)(x))
        x = self.stem(x, f"stem_{backend.get_uid('stem_')}_stem")
        for stack, count in enumerate(self.plan.blocks):
            drop = self.plan.drop_connect * (stack + 2) / (len(self.plan.blocks) + 1)
            for i in range(count):
                strides = 2 if stack and i == 0 else 1
                x = self.block(x, 64 * 2**stack, f"BlockGroup{stack + 2}__block_{i}", strides, drop, widen=i == 0)
        return x

    def stem(self, x: Any, name: str) -> Any:
        """Return what the first four convolutions make of pictures."""
        for i, (filters, strides) in enumerate(((32, 2), (32, 1), (64, 1), (64, 2)), start=1):
            x = self.padded_conv(x, filters, 3, f"{name}_conv_{i}", strides)
            x = self.activated(x, f"{name}_batch_norm_{i}", f"{name}_act_{i}")
        return x

    def padded_conv(self, x: Any, filters: int, kernel: int, name: str, strides: int = 1) -> Any:
        """Return a convolution of a tensor, which pads both sides alike where it halves it."""
        if strides > 1:
            x = layers.ZeroPadding2D((kernel - 1) // 2)(x)
        padding = "same" if strides == 1 else "valid"
        return self.conv(x, filters, kernel, padding, strides=strides, use_bias=False, name=name)

    def block(self, x: Any, filters: int, name: str, strides: int, drop: float, widen: bool) -> Any:
        """Return the sum of a shortcut and a bottleneck whose channels are weighted."""
        shortcut = x
        if widen:
            if strides == 2:
                shortcut = layers.AveragePooling2D(2, strides=2, padding="same", name=f"{name}__projection_pooling")(x)
            shortcut = self.padded_conv(shortcut, 4 * filters, 1, f"{name}__projection_conv")
            shortcut = self.normalized(shortcut, f"{name}__projection_batch_norm")
        x = self.padded_conv(x, filters, 1, f"{name}__conv_1")
        x = self.activated(x, f"{name}_batch_norm_1", f"{name}__act_1")
        x = self.padded_conv(x, filters, 3, f"{name}__conv_2", strides)
        x = self.activated(x, f"{name}__batch_norm_2", f"{name}__act_2")
        x = self.padded_conv(x, 4 * filters, 1, f"{name}__conv_3")
        x = self.normalized(x, f"{name}__batch_norm_3")
        x = self.weighted(x, filters, f"{name}__se_se_")
        if drop > 0:
            x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}__drop")(x)
        x = layers.Add()([x, shortcut])
        return self.activation(f"{name}__output_act")(x)

    def head(self, x: Any) -> Any:
        """Return the classes' probabilities."""
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(self.plan.dropout, name="top_dropout")(x)
        return self.predictions(x)

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet."""
        top, name = self.options.include_top, f"{self.name}-i{self.trained_size}"
        return WeightFile(f"{name}{'' if top else '_notop'}.h5", f"{ORIGIN}resnet_rs/", CHECKSUMS[name][not top])
