"""What layers over images, sequences and volumes share: the order of axes, and the views that torch computes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from .._core import settings, shapes
from .._core.shapes import Shape
from .base import ROW_WISE, Layer


class SpatialLayer(Layer):
    """Base of layers whose input is `(batch, *space, channels)`, or channels first where `data_format` says so.

    A subclass sets `rank`, the number of axes in space.  Nothing is copied between the two orders: torch sees a view,
    in which an image with channels last is what torch calls `channels_last`, and a sequence is an image of height 1.
    """

    _class_traits = ROW_WISE

    rank: ClassVar[int] = 2
    data_format: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._input_rank = cls.rank + 2
        cls._sequence_input = cls.rank == 1

    def keep_format(self, data_format: str | None) -> None:
        """Store `data_format`, which for sequences is channels last unless said otherwise."""
        default = "channels_last" if self.rank == 1 else settings.image_data_format()
        self.data_format = shapes.data_format(type(self).__name__, data_format, default)

    @property
    def channel_axis(self) -> int:
        """Where the channels are: -1 or 1."""
        return -1 if self.data_format == "channels_last" else 1

    @property
    def space(self) -> tuple[int, ...]:
        """The axes in space, in Keras's order."""
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def to_torch(self, x: Tensor) -> Tensor:
        """Return the view `(batch, channels, *space)`; a sequence becomes `(batch, channels, 1, steps)`."""
        if self.data_format == "channels_last":
            return (x.unsqueeze(1) if self.rank == 1 else x).movedim(-1, 1)
        return x.unsqueeze(2) if self.rank == 1 else x

    def to_keras(self, y: Tensor) -> Tensor:
        """Return the view in this layer's own order of what was computed on `to_torch`'s."""
        if self.data_format == "channels_last":
            y = y.movedim(1, -1)
            return y.squeeze(1) if self.rank == 1 else y
        return y.squeeze(2) if self.rank == 1 else y

    def _lay_out_as_input(self, module: Any) -> None:
        """Let a kernel lie in torch's channels-last format where the input does."""
        if self.data_format == "channels_last":
            channels_last = torch.channels_last if self.rank < 3 else torch.channels_last_3d
            module.weight.data = module.weight.data.contiguous(memory_format=channels_last)

    def lengths(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the sizes in space of a Keras shape."""
        return tuple(shape[axis] for axis in self.space)

    def assemble(self, batch: int | None, space: Sequence[int | None], channels: int | None) -> Shape:
        """Return the Keras shape of an output.

        Raises:
            ValueError: An axis in space has no cell left.
        """
        if any(n is not None and n <= 0 for n in space):
            raise ValueError(
                f"{self}: an output of size {tuple(space)} is less than one cell; the input is too small. "
                f"Give a larger input, or padding='same'."
            )
        return (batch, *space, channels) if self.data_format == "channels_last" else (batch, channels, *space)


def check_steps(owner: str, strides: Sequence[int], dilation_rate: Sequence[int]) -> None:
    """Raise where a window both strides and has gaps, which Keras does not compute."""
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise ValueError(
            f"{owner}(strides={strides}, dilation_rate={dilation_rate}): strides and dilation_rate cannot both be "
            f"greater than 1; write strides=1 or dilation_rate=1."
        )


def over_height(values: Sequence[Any], neutral: Any) -> tuple[Any, ...]:
    """Return sizes for the view of a sequence as an image: one value gets the `neutral` one of the height before it."""
    return (neutral, *values) if len(values) == 1 else tuple(values)


def torch_pads(pads: Sequence[tuple[int, int]]) -> list[int]:
    """Return pairs (before, after), one for each axis, in the order of `torch.nn.functional.pad`: last axis first."""
    return [n for pair in reversed(pads) for n in pair]
