"""ConvNeXt: a convolution for each channel, then two dense layers for each point, added to what they got.

Source:
    Liu, Mao, Wu, Feichtenhofer, Darrell and Xie, A ConvNet for the 2020s, 2022.
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Sequential
from ._checksums import CHECKSUMS
from ._frames import Shape
from ._network import Network, Options
from ._scaling import LayerScale
from ._weight_files import ORIGIN, WeightFile

# Size → how many blocks the four stages have, and how many channels.
SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "tiny": ((3, 3, 9, 3), (96, 192, 384, 768)),
    "small": ((3, 3, 27, 3), (96, 192, 384, 768)),
    "base": ((3, 3, 27, 3), (128, 256, 512, 1024)),
    "large": ((3, 3, 27, 3), (192, 384, 768, 1536)),
    "xlarge": ((3, 3, 27, 3), (256, 512, 1024, 2048)),
}


class ConvNeXt(Network):
    """A ConvNeXt.

    Args:
        kind: A key of `SIZES`.
        options: What the user asks for.
        model_name: The name of the model, with which those of its layers begin.
        include_preprocessing: Whether it scales pictures from 0 to 255 itself.
    """

    names_pooling = False

    def __init__(self, kind: str, options: Options, model_name: str, include_preprocessing: bool) -> None:
        super().__init__(model_name, options)
        self.kind, self.include_preprocessing = kind, include_preprocessing

    def body(self, x: Any) -> Any:
        """Return what the stages make of pictures."""
        if self.include_preprocessing:
            x = self.standardized(x, 255, axis=-1, name=f"{self.name}_prestem_normalization")
        for stage, (blocks, channels) in enumerate(zip(*SIZES[self.kind])):
            x = self.smaller(x, channels, stage)
            for i in range(blocks):
                x = self.block(x, channels, f"{self.name}_stage_{stage}_block_{i}")
        return x

    def smaller(self, x: Any, channels: int, stage: int) -> Any:
        """Return what a convolution makes of pieces of 4 × 4 points, and of 2 × 2 ones before the later stages."""
        if not stage:
            name = f"{self.name}_stem"
            conv = layers.Conv2D(channels, 4, strides=4, name=f"{name}_conv")
            return Sequential([conv, _normalization(f"{name}_layernorm")], name=name)(x)
        name, place = f"{self.name}_downsampling", stage - 1
        conv = layers.Conv2D(channels, 2, strides=2, name=f"{name}_conv_{place}")
        return Sequential([_normalization(f"{name}_layernorm_{place}"), conv], name=f"{name}_block_{place}")(x)

    def block(self, x: Any, channels: int, name: str) -> Any:
        """Return a tensor and what a convolution and two dense layers make of it."""
        start = x
        x = layers.Conv2D(channels, 7, padding="same", groups=channels, name=f"{name}_depthwise_conv")(x)
        x = _normalization(f"{name}_layernorm")(x)
        x = layers.Dense(4 * channels, name=f"{name}_pointwise_conv_1")(x)
        x = layers.Activation("gelu", name=f"{name}_gelu")(x)
        x = layers.Dense(channels, name=f"{name}_pointwise_conv_2")(x)
        x = LayerScale(1e-6, channels, name=f"{name}_layer_scale")(x)
        return start + layers.Activation("linear", name=f"{name}_identity")(x)

    def head(self, x: Any) -> Any:
        """Return the classes' probabilities."""
        options, name = self.options, f"{self.name}_head"
        x = layers.GlobalAveragePooling2D(name=f"{name}_gap")(x)
        x = _normalization(f"{name}_layernorm")(x)
        return layers.Dense(options.classes, activation=options.classifier_activation, name=f"{name}_dense")(x)

    def pooled(self, x: Any) -> Any:
        """Return what stands where there is no head."""
        return _normalization()(super().pooled(x))

    def weight_file(self, shape: Shape) -> WeightFile:
        """Return the file of weights that were trained on ImageNet."""
        top, name = self.options.include_top, f"convnext_{self.kind}"
        return WeightFile(f"{name}{'' if top else '_notop'}.h5", f"{ORIGIN}convnext/", CHECKSUMS[name][not top])


def _normalization(name: str | None = None) -> Any:
    return layers.LayerNormalization(epsilon=1e-6, name=name)
