"""Event files of TensorBoard, by torch's `SummaryWriter`: what `TensorBoard` and `tf.summary` write into."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch import Tensor

Array = np.ndarray[Any, Any]

# What `tf.summary.image` and `tf.summary.histogram` write unless told otherwise.
PICTURES_AT_ONCE = 3
BUCKETS = 30


def summary_writer(owner: str) -> Any:
    """Return torch's `SummaryWriter`, or say how to install what it needs.

    Args:
        owner: What needs it.

    Raises:
        ImportError: The package `tensorboard` is missing.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ImportError(f"{owner} needs tensorboard: pip install torchkeras_compat[tensorboard]") from error
    return SummaryWriter


class EventWriter:
    """Torch's `SummaryWriter` with the methods that scripts call on a writer of TensorFlow's.

    Attributes of torch's writer (`add_scalar`, `add_figure`, …) are its own.  It is closed when nobody has it any more,
    and at the end of the process.

    Args:
        folder: Where it makes an event file, beside those that are there.

    Example:
        >>> import tempfile
        >>> with EventWriter(tempfile.mkdtemp()) as writer:
        ...     writer.add_scalar('loss', .5, 1)
    """

    def __init__(self, folder: Any) -> None:
        self._writer = summary_writer("TensorBoard")(os.fspath(folder))
        self.close = weakref.finalize(self, self._writer.close)

    def __getattr__(self, name: str) -> Any:
        if name == "_writer":  # a copy, which has no attributes yet
            raise AttributeError(name)
        return getattr(self._writer, name)

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def add_event(self, event: Any, step: int | None = None) -> None:
        """Write an `Event`."""
        self._writer.file_writer.add_event(event, step)

    def add_summary(self, summary: Any, global_step: int | None = None) -> None:
        """Write a `Summary`, as TensorFlow 1 does.

        Args:
            summary: The message, or its bytes.
            global_step: The step.
        """
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        message = Summary.FromString(summary) if isinstance(summary, bytes) else summary
        self.add_event(Event(summary=message), global_step)

    @contextmanager
    def as_default(self, step: int | None = None) -> Iterator[EventWriter]:
        """Let `tf.summary.scalar` and its like write here, inside the `with` block.

        Args:
            step: The step of what is written without one.
        """
        previous, _default[0] = _default[0], (self, step)
        try:
            yield self
        finally:
            _default[0] = previous

    def set_as_default(self, step: int | None = None) -> None:
        """Let `tf.summary.scalar` and its like write here from now on."""
        _default[0] = (self, step)


_default: list[tuple[EventWriter | None, int | None]] = [(None, None)]


def default_writer() -> tuple[EventWriter | None, int | None]:
    """Return the writer that `as_default` or `set_as_default` has named, with its step."""
    return _default[0]


class EventFiles:
    """The writers of one callback: a folder gets its event file when something is first written there."""

    def __init__(self) -> None:
        self._writers: dict[str, EventWriter] = {}

    def __getitem__(self, folder: str) -> EventWriter:
        if folder not in self._writers:
            self._writers[folder] = EventWriter(folder)
        return self._writers[folder]

    def flush(self) -> None:
        """Let everything that was written reach the disk."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Close the files; what is written later goes to new ones."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


def as_array(value: Any) -> Array:
    """Return a number, an array or a tensor of any device as an array."""
    return np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)


# --- weights ---------------------------------------------------------------------------------------------


def tag_of(weight: Any) -> str:
    """Return the name of a weight as Keras writes it into event files."""
    return str(weight.name).replace(":", "_")


def clipped_pixels(picture: Array) -> Array:
    """Return numbers from 0 to 1 as grey levels, and what is outside as black and white (`tf.image`, TensorFlow 2)."""
    pixels: Array = np.clip(np.nan_to_num(picture), 0, 1) * 255.5
    return pixels.astype(np.uint8)


def scaled_pixels(picture: Array) -> Array:
    """Return numbers as grey levels, 0 in the middle where some are negative (`tf.summary.image`, TensorFlow 1)."""
    values = np.nan_to_num(picture, posinf=0.0, neginf=0.0)
    most = max(float(np.abs(values).max(initial=0.0)), 1e-6)
    scaled: Array = values * (127 / most) + 128 if (values < 0).any() else values * (255 / most)
    return scaled.astype(np.uint8)


def pictures_of(weight: Array, colours: bool) -> list[Array]:
    """Return a weight as pictures of height, width and channels, the first few of many; none where it is no picture.

    A vector is a column, a matrix lies on its longer side, and of a kernel over one channel each filter is a picture.

    Args:
        weight: The weight, in Keras's layout.
        colours: Whether a weight of four axes is pictures, if its last axis can be colours.
    """
    weight = np.squeeze(weight)
    if not weight.size:
        return []
    if weight.ndim == 1:
        pictures = weight[None, :, None, None]
    elif weight.ndim == 2:
        pictures = (weight.T if weight.shape[0] > weight.shape[1] else weight)[None, :, :, None]
    elif weight.ndim == 3:
        pictures = weight.transpose(2, 0, 1)[..., None]
    elif weight.ndim == 4 and colours and weight.shape[-1] in (1, 3, 4):
        pictures = weight
    else:
        return []
    return list(pictures[:PICTURES_AT_ONCE])


def write_pictures(writer: EventWriter, tag: str, pictures: list[Array], step: int) -> None:
    """Write pictures of bytes under a tag; several are numbered behind it."""
    for i, picture in enumerate(pictures):
        numbered = f"{tag}/{i}" if len(pictures) > 1 else tag
        writer.add_image(numbered, picture, step, dataformats="HWC")


def write_histogram(writer: EventWriter, tag: str, values: Any, step: int, buckets: int = BUCKETS) -> None:
    """Write a histogram of the finite values, if there are some: a training that diverges has others."""
    numbers = np.asarray(values, np.float64)
    finite = numbers[np.isfinite(numbers)]
    if finite.size:
        writer.add_histogram(tag, finite, step, bins=buckets)
