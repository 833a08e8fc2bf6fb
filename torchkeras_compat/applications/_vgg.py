"""VGG: blocks of convolutions 3 × 3, each block followed by a pooling, and three wide layers as the head.

Source:
    Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014.
"""

from __future__ import annotations

from typing import Any

from .. import layers
from ._network import Network, Options


class VGG(Network):
    """A VGG network.

    Args:
        name: The name of the model.
        convolutions: How many each block has.
        options: What the user asks for.
    """

    names_pooling = False

    def __init__(self, name: str, convolutions: tuple[int, ...], options: Options) -> None:
        super().__init__(name, options)
        self.convolutions = convolutions

    def body(self, x: Any) -> Any:
        """Return what the blocks make of pictures."""
        for block, (count, filters) in enumerate(zip(self.convolutions, (64, 128, 256, 512, 512)), start=1):
            for i in range(1, count + 1):
                x = layers.Conv2D(filters, 3, activation="relu", padding="same", name=f"block{block}_conv{i}")(x)
            x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
        return x

    def head(self, x: Any) -> Any:
        """Return the classes' probabilities."""
        x = layers.Flatten(name="flatten")(x)
        for i in (1, 2):
            x = layers.Dense(4096, activation="relu", name=f"fc{i}")(x)
        return self.predictions(x)
