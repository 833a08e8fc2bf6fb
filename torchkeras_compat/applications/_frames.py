"""The shapes of pictures that a network takes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from .._core.border import user_stacklevel
from .._core.errors import argument_error

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Frame:
    """What a network asks of pictures.

    Attributes:
        owner: The network, for messages.
        size: Height and width of those that it was trained on.
        smallest: Height and width below which nothing is left for its last block.
        channels_first: Whether channels come before height and width.
    """

    owner: str
    size: int
    smallest: int
    channels_first: bool

    def fitted(self, input_shape: Sequence[int | None] | None, flat: bool, pretrained: bool) -> Shape:
        """Return the shape of a picture, the user's if it fits.

        Args:
            input_shape: The user's, or `None`.
            flat: Whether the network ends in layers that need pictures of one size.
            pretrained: Whether it gets weights that were trained on ImageNet.

        Raises:
            ValueError: A shape that does not fit.
        """
        shape = None if input_shape is None else tuple(input_shape)
        usual = self._in_format(self.size, 3 if pretrained else self._channels(shape))
        if shape is None:
            return usual if flat else self._in_format(None, 3)
        if pretrained and flat and shape != usual:
            raise ValueError(
                f"{self.owner}: with the head and the weights of ImageNet input_shape must be {usual}; got {shape}. "
                "Write include_top=False for pictures of another size."
            )
        self._check(shape, pretrained)
        if flat and None in shape:
            raise ValueError(f"{self.owner}: the head needs pictures of one size; got input_shape={shape}.")
        return shape

    def _in_format(self, size: int | None, channels: int | None) -> Shape:
        return (channels, size, size) if self.channels_first else (size, size, channels)

    def _channels(self, shape: Shape | None) -> int | None:
        """Return the channels of the user's pictures, with a warning where they are neither gray nor coloured."""
        if shape is None or len(shape) != 3:
            return 3
        channels = shape[0 if self.channels_first else -1]
        if channels not in (1, 3):
            warnings.warn(
                f"{self.owner} usually takes pictures of 1 or 3 channels; input_shape={shape} has {channels}.",
                stacklevel=user_stacklevel(),
            )
        return channels

    def _check(self, shape: Shape, pretrained: bool) -> None:
        if len(shape) != 3:
            raise argument_error(self.owner, "input_shape", "three numbers: height, width and channels", shape)
        channels, *sides = shape if self.channels_first else (shape[2], shape[0], shape[1])
        if pretrained and channels != 3:
            raise ValueError(
                f"{self.owner}: the weights of ImageNet are for pictures of 3 channels; got input_shape={shape}."
            )
        if any(side is not None and side < self.smallest for side in sides):
            least = self._in_format(self.smallest, channels)
            raise ValueError(f"{self.owner}: input_shape must be at least {least}; got {shape}.")
