"""`tf.summary` and `tf.Summary`: what scripts write for TensorBoard by themselves, by torch's `SummaryWriter`."""

from __future__ import annotations

from typing import Any

from .._core.border import warn_once
from .._core.errors import argument_error, show
from ..callbacks.events import (
    BUCKETS,
    PICTURES_AT_ONCE,
    EventWriter,
    as_array,
    clipped_pixels,
    default_writer,
    summary_writer,
    write_histogram,
    write_pictures,
)


class Message:
    """The class of a message of tensorboard's, which is imported when it is first used.

    Args:
        name: Its name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def _behind(self) -> Any:
        summary_writer(f"tf.{self._name}")  # says what to install
        from tensorboard.compat.proto import summary_pb2

        return getattr(summary_pb2, self._name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make a message."""
        return self._behind()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._behind(), name)


def create_file_writer(
    logdir: Any, max_queue: Any = None, flush_millis: Any = None, filename_suffix: Any = None, name: str | None = None
) -> EventWriter:
    """Return a writer of event files, for `with writer.as_default():` or `writer.set_as_default()`.

    Args:
        logdir: The folder.
        max_queue: Accepted; torch's writer has its own.
        flush_millis: Accepted.
        filename_suffix: Refused.
        name: Accepted.
    """
    if filename_suffix is not None:
        raise argument_error("create_file_writer", "filename_suffix", "None", filename_suffix)
    return EventWriter(logdir)


def file_writer(logdir: Any, graph: Any = None, *args: Any, **kwargs: Any) -> EventWriter:
    """Return a writer with `add_summary`, as TensorFlow 1 has it.

    Args:
        logdir: The folder.
        graph: Accepted; there are no graphs of TensorFlow.
        args: Accepted: when to write to the disk.
        kwargs: Accepted.
    """
    return EventWriter(logdir)


def _target(kind: str, step: Any) -> tuple[EventWriter, int] | None:
    """Return the default writer and the step; where there is no writer, of which TensorFlow says nothing, say so."""
    writer, default_step = default_writer()
    if writer is None:
        warn_once(f"tf.summary.{kind}", "writer", "nothing is written without one; write with writer.as_default(): …")
        return None
    step = default_step if step is None else step
    if step is None:
        raise ValueError(f"tf.summary.{kind}: no step is set; write {kind}(name, data, step=…).")
    return writer, int(step)


def scalar(name: str, data: Any, step: Any = None, description: Any = None) -> bool:
    """Write a number, and return whether there is a writer.

    Args:
        name: The tag.
        data: The number.
        step: The step.
        description: Accepted; it is not shown.
    """
    if (target := _target("scalar", step)) is None:
        return False
    number = as_array(data)
    if number.size != 1:
        raise ValueError(f"tf.summary.scalar({name!r}): data must be one number; got {show(data)}.")
    target[0].add_scalar(name, float(number.reshape(())), target[1])
    return True


def histogram(name: str, data: Any, step: Any = None, buckets: int | None = None, description: Any = None) -> bool:
    """Write a histogram of the finite values, and return whether there is a writer.

    Args:
        name: The tag.
        data: The values.
        step: The step.
        buckets: How many buckets.
        description: Accepted; it is not shown.
    """
    if (target := _target("histogram", step)) is None:
        return False
    write_histogram(target[0], name, as_array(data), target[1], BUCKETS if buckets is None else int(buckets))
    return True


def image(name: str, data: Any, step: Any = None, max_outputs: int = PICTURES_AT_ONCE, description: Any = None) -> bool:
    """Write pictures, and return whether there is a writer; several get a tag each, `name/0`.

    Args:
        name: The tag.
        data: Pictures of shape (k, height, width, channels), of bytes or of numbers from 0 to 1.
        step: The step.
        max_outputs: How many of them.
        description: Accepted; it is not shown.
    """
    if (target := _target("image", step)) is None:
        return False
    pictures = as_array(data)
    if pictures.ndim != 4:
        raise ValueError(f"tf.summary.image({name!r}): data must be (k, height, width, channels); got {show(data)}.")
    pictures = pictures[:max_outputs] if pictures.dtype.kind == "u" else clipped_pixels(pictures[:max_outputs])
    write_pictures(target[0], name, list(pictures), target[1])
    return True


def text(name: str, data: Any, step: Any = None, description: Any = None) -> bool:
    """Write a text, and return whether there is a writer.

    Args:
        name: The tag.
        data: The text, in Markdown.
        step: The step.
        description: Accepted; it is not shown.
    """
    if (target := _target("text", step)) is None:
        return False
    target[0].add_text(name, str(data), target[1])
    return True


def flush(writer: EventWriter | None = None, name: str | None = None) -> None:
    """Let everything that was written reach the disk.

    Args:
        writer: The writer; the default one if `None`.
        name: Accepted.
    """
    writer = default_writer()[0] if writer is None else writer
    if writer is not None:
        writer.flush()


SUMMARY: dict[str, Any] = {
    "create_file_writer": create_file_writer,
    "FileWriter": file_writer,
    "Summary": Message("Summary"),
    "scalar": scalar,
    "histogram": histogram,
    "image": image,
    "text": text,
    "flush": flush,
}
