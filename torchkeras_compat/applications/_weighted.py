"""What networks have in common that weight their channels by dense layers of two steps, as convolutions of one point.

Source:
    Hu, Shen, Albanie, Sun and Wu, Squeeze-and-Excitation Networks, 2017.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .. import layers
from ..initializers import VarianceScaling
from ._network import Network


def conv_initializer() -> VarianceScaling:
    """Return what fills the kernels of convolutions at first."""
    return VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")


class WeightingNetwork(Network):
    """Base of networks that weight their channels."""

    between: ClassVar[str] = "swish"
    """What activates between the two steps."""

    def conv(self, x: Any, filters: int, kernel: int, padding: str = "same", **settings: Any) -> Any:
        """Return a convolution of a tensor."""
        return layers.Conv2D(filters, kernel, padding=padding, kernel_initializer=conv_initializer(), **settings)(x)

    def weighted(self, x: Any, reduced: int, name: str) -> Any:
        """Return a tensor whose channels are weighted by what they are on the average."""
        channels = x.shape[self.axis]
        weights = layers.GlobalAveragePooling2D(name=f"{name}squeeze")(x)
        shape = (channels, 1, 1) if self.channels_first else (1, 1, channels)
        weights = layers.Reshape(shape, name=f"{name}reshape")(weights)
        weights = self.conv(weights, reduced, 1, activation=self.between, name=f"{name}reduce")
        weights = self.conv(weights, channels, 1, activation="sigmoid", name=f"{name}expand")
        return layers.Multiply(name=f"{name}excite")([x, weights])
