"""`TensorBoard`: the values, weights and layers of a training as event files."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from .._core import registry
from .._core.border import user_stacklevel
from .._core.errors import argument_error, positive_int
from .base import Callback
from .events import (
    Array,
    EventFiles,
    EventWriter,
    as_array,
    clipped_pixels,
    pictures_of,
    scaled_pixels,
    summary_writer,
    tag_of,
    write_histogram,
    write_pictures,
)
from .layer_graph import has_graph, write_graph
from .schedules import get_rate, schedule_of
from .validation_histograms import write_histograms_by_batch


@dataclass(frozen=True)
class Layout:
    """Where an era of Keras writes what, and what it calls it.

    Attributes:
        train: The folder of what training tells, under `log_dir`.
        validation: That of what validation tells; where it is the same, names keep their `val_`.
        epoch: The tag of a value of an epoch.
        batch: That of a value of a batch.
        evaluation: That of a value of `evaluate` or a validation, by steps of the optimizer; none is written if empty.
        histogram: That of a weight's histogram.
        image: That of a weight's picture.
        pixels: Makes grey levels of a weight.
        colours: Whether a weight of four axes may be pictures in colours.
        counts_samples: Whether `update_freq` and steps of batches count samples, over all `fit`; else batches of one.
        layer_outputs: Whether histograms of weights come with those of the layers' outputs.
    """

    train: str
    validation: str
    epoch: str
    batch: str
    evaluation: str
    histogram: str
    image: str
    pixels: Callable[[Array], Array]
    colours: bool
    counts_samples: bool
    layer_outputs: bool


FOLDERS = Layout(
    train="train",
    validation="validation",
    epoch="epoch_{}",
    batch="batch_{}",
    evaluation="evaluation_{}_vs_iterations",
    histogram="{}/histogram",
    image="{}/image",
    pixels=clipped_pixels,
    colours=True,
    counts_samples=False,
    layer_outputs=False,
)
ONE_FOLDER = Layout(
    train="",
    validation="",
    epoch="{}",
    batch="{}",
    evaluation="",
    histogram="{}",
    image="{}/image",
    pixels=scaled_pixels,
    colours=False,
    counts_samples=True,
    layer_outputs=True,
)
_ABOUT_BATCH = ("batch", "size")  # in the logs of a batch, and no values


@registry.register("callback")
class TensorBoard(Callback):
    """Writes what TensorBoard shows: values of epochs and batches, weights, and the graph of the layers.

    In the dialects of tf.keras the files lie in `train` and `validation` under `log_dir`, and tags are called
    `epoch_loss`, `batch_loss` or `evaluation_loss_vs_iterations`.  In those of classic Keras they lie in `log_dir`
    itself, and tags are the names of the logs.  What other callbacks put into the logs before, such as `lr`, is
    written too, and a learning rate that follows a schedule, as `epoch_learning_rate`.

    `tensorboard --logdir logs` shows the files.  The extra `tensorboard` installs it.

    Args:
        log_dir: The folder; files that are there stay.
        histogram_freq: Every how many epochs histograms of the weights are written; 0 for never.
        write_graph: Whether the graph of the layers is written; a model whose `call` is Python code has none.
        write_images: Whether histograms come with weights as pictures.
        write_steps_per_second: Whether the speed is written, of epochs and of batches that are.
        update_freq: `'epoch'`; `'batch'`; or a number of batches, in classic Keras of samples, after which the values
            of the batch are written as well.
        profile_batch: The number of a batch, from 1, or a first and a last one, that torch's profiler writes a trace
            of, a file for `chrome://tracing`; 0 for none.
        embeddings_freq: Refused unless 0.
        embeddings_metadata: Refused.
        batch_size: Of validation data at a time, for histograms of outputs and gradients.
        write_grads: Whether histograms come with those of gradients, on the validation data.
        embeddings_layer_names: Refused.
        embeddings_data: Refused.

    Raises:
        ImportError: The package `tensorboard` is missing.
        ValueError: A number is not positive, `profile_batch` names no batches, or embeddings are asked for; when an
            epoch ends, gradients are, and there are no arrays to validate on.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np, torchkeras_compat as keras
        >>> folder, x, y = tempfile.mkdtemp(), np.ones((8, 2)), np.ones(8)
        >>> model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
        >>> model.compile('sgd', 'mse')
        >>> _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[keras.callbacks.TensorBoard(folder)])
        >>> [path.name.split('.')[2] for path in pathlib.Path(folder).iterdir()]
        ['tfevents']
    """

    _backed_up: ClassVar[tuple[str, ...]] = ("samples_seen", "samples_seen_at_last_write", "_batches")

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
        batch_size: int | None = None,
        write_grads: bool = False,
        embeddings_layer_names: Any = None,
        embeddings_data: Any = None,
    ) -> None:
        super().__init__()
        summary_writer("TensorBoard")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = positive_int("TensorBoard", "histogram_freq", histogram_freq) if histogram_freq else 0
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = _update_freq(update_freq)
        self.profile_batch = profile_batch
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self.batch_size = 32 if batch_size is None else positive_int("TensorBoard", "batch_size", batch_size)
        self.write_grads = write_grads
        self.embeddings_layer_names = embeddings_layer_names
        self.embeddings_data = embeddings_data
        for name in ("embeddings_freq", "embeddings_metadata", "embeddings_layer_names", "embeddings_data"):
            if _asks(value := getattr(self, name)):
                raise argument_error("TensorBoard", name, _NO_EMBEDDINGS, value)
        if (write_images or write_grads) and not self.histogram_freq:
            warnings.warn(
                "TensorBoard: pictures and gradients are written with the histograms; give histogram_freq=1 too.",
                stacklevel=user_stacklevel(),
            )
        self._layout = FOLDERS if self._rules.events_in_folders else ONE_FOLDER
        self._trace = Trace(profile_batch)
        self._files = EventFiles()
        self._own_writer: Any = None  # what a subclass has set as `writer`
        self._drawn: Any = None  # the model whose graph is written
        self._fitting = False
        self._told: set[str] = set()  # what was warned of
        self.samples_seen = self.samples_seen_at_last_write = 0
        self._batches = 0  # of this `fit`
        self._batches_before = 0  # this epoch
        self._batch_began = self._epoch_began = 0.0

    # --- writers -----------------------------------------------------------------------------------------------------

    @property
    def writer(self) -> Any:
        """The writer of what training tells, an `EventWriter`; a subclass may set its own."""
        return self._train_writer if self._own_writer is None else self._own_writer

    @writer.setter
    def writer(self, value: Any) -> None:
        self._own_writer = value

    @property
    def _train_writer(self) -> EventWriter:
        return self._files[os.path.join(self.log_dir, self._layout.train)]

    @property
    def _val_writer(self) -> EventWriter:
        return self._files[os.path.join(self.log_dir, self._layout.validation)]

    def _write_logs(self, logs: Mapping[str, Any], index: int) -> None:
        """Write values under their own names; it is what subclasses of the classic callback call."""
        self._write_values(self.writer, logs, "{}", index)
        self.writer.flush()

    def _write_values(self, writer: Any, values: Mapping[str, Any], tag: str, step: int) -> None:
        for name, value in values.items():
            if name in _ABOUT_BATCH:
                continue
            numbers = as_array(value)
            if numbers.size == 1 and numbers.dtype.kind in "biuf":
                writer.add_scalar(tag.format(name), float(numbers.reshape(())), step)
            else:
                self._warn_once(f"{name!r} is not one number; it is left out.")

    def _warn_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            warnings.warn(f"TensorBoard: {text}", stacklevel=user_stacklevel())

    # --- training ----------------------------------------------------------------------------------------------------

    def set_model(self, model: Any) -> None:
        """Take the model, and write its graph."""
        super().set_model(model)
        self._trace.stop()  # of a training that ended by an error
        self._files.close()
        self._fitting = False
        self._draw()

    def _draw(self) -> None:
        """Write the graph of a model once, as soon as it has one."""
        if self.write_graph and self._drawn is not self.model and has_graph(self.model):
            write_graph(self._train_writer, self.model)
            self._drawn = self.model

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin to count batches."""
        self._fitting = True
        self._batches = 0

    def on_train_end(self, logs: Any = None) -> None:
        """Close the files."""
        self._trace.stop()
        self._files.close()
        self._fitting = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the time."""
        if self.write_steps_per_second:
            self._batches_before, self._epoch_began = self._batches, time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the values of the epoch, and what is due of the weights."""
        self._draw()
        by_samples = self._layout.counts_samples and self.update_freq != "epoch"
        self._log_epoch_metrics(self.samples_seen if by_samples else epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._log_weights(epoch)
            self._log_validation_histograms(epoch)
        self._files.flush()

    def on_test_end(self, logs: Any = None) -> None:
        """Write the values of an evaluation."""
        iterations = self._iterations()
        if self._layout.evaluation and iterations is not None:
            self._write_values(self._val_writer, logs or {}, self._layout.evaluation, iterations)
        if not self._fitting:
            self._files.close()

    def _iterations(self) -> int | None:
        """Return how many steps the optimizer has made; one of torch's does not count them."""
        iterations = getattr(self.model.optimizer, "iterations", None)
        return None if iterations is None else int(iterations)

    def _log_epoch_metrics(self, step: int, logs: Mapping[str, Any] | None) -> None:
        values = {**(logs or {}), **self._rate_of_schedule(), **self._speed_of_epoch()}
        if self._layout.validation == self._layout.train:
            self._write_logs(values, step)
            return
        training = {name: value for name, value in values.items() if not name.startswith("val_")}
        self._write_values(self._train_writer, training, self._layout.epoch, step)
        if validation := {name[4:]: value for name, value in values.items() if name.startswith("val_")}:
            self._write_values(self._val_writer, validation, self._layout.epoch, step)

    def _rate_of_schedule(self) -> dict[str, float]:
        optimizer = self.model.optimizer
        return {} if schedule_of(optimizer) is None else {"learning_rate": get_rate(optimizer)}

    def _speed_of_epoch(self) -> dict[str, float]:
        if not self.write_steps_per_second:
            return {}
        batches = self._batches - self._batches_before
        return {"steps_per_second": batches / (time.perf_counter() - self._epoch_began)}

    # --- batches -----------------------------------------------------------------------------------------------------

    def _idle_hooks(self) -> tuple[Any, ...]:
        if self.update_freq != "epoch" or self._trace.first or self.write_steps_per_second:
            return ()
        return TensorBoard.on_batch_begin, TensorBoard.on_batch_end

    def _reads_logs(self, size: int) -> bool:
        hooks = (type(self).on_batch_end, type(self).on_train_batch_end)
        overridden = hooks != (TensorBoard.on_batch_end, Callback.on_train_batch_end)
        return overridden or self._is_due(self._batches + 1, self.samples_seen + size)

    def _is_due(self, batches: int, samples: int) -> bool:
        """Tell whether values of the batch are written, after which so many batches and samples are past."""
        if self.update_freq == "epoch":
            return False
        if self._layout.counts_samples:
            return bool(samples - self.samples_seen_at_last_write >= self.update_freq)
        return bool(batches % self.update_freq == 0)

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Begin to trace, if it is time to."""
        if self._batches + 1 == self._trace.first:
            self._trace.start(self._train_writer.log_dir)
        self._batch_began = time.perf_counter()

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write the values of the batch, if they are due."""
        took = time.perf_counter() - self._batch_began
        values = dict(logs or {})
        self._batches += 1
        self.samples_seen += values.get("size", self.params.get("batch_size") or 1)
        if self._batches >= self._trace.last:
            self._trace.stop()
        if not self._is_due(self._batches, self.samples_seen):
            return
        if self.write_steps_per_second:
            values["steps_per_second"] = 1 / took
        if self._layout.counts_samples:
            self._write_logs(values, self.samples_seen)
            self.samples_seen_at_last_write = self.samples_seen
        else:
            self._write_values(self._train_writer, values, self._layout.batch, self._batches)

    # --- weights -----------------------------------------------------------------------------------------------------

    def _log_weights(self, epoch: int) -> None:
        """Write histograms and pictures of the weights."""
        layout, writer = self._layout, self._train_writer
        for layer in self.model.layers:
            for weight in layer.weights:
                name, values = tag_of(weight), weight.numpy()
                write_histogram(writer, layout.histogram.format(name), values, epoch)
                if self.write_images:
                    pictures = [layout.pixels(picture) for picture in pictures_of(values, layout.colours)]
                    write_pictures(writer, layout.image.format(name), pictures, epoch)

    def _log_validation_histograms(self, epoch: int) -> None:
        """Write histograms of what layers give for the validation data, and of gradients there."""
        model, outputs = self.model, self._layout.layer_outputs
        if self.write_grads and not has_graph(model):
            raise ValueError(
                "TensorBoard(write_grads=True): a model whose call is Python code has no symbolic gradients; leave it "
                "out, or make the model of layers: Model(inputs, outputs)."
            )
        if self.write_grads and not self.validation_data:
            raise ValueError(f"TensorBoard(write_grads=True): gradients are those {_NO_ARRAYS}.")
        if not has_graph(model) or not (outputs or self.write_grads):
            return
        if not self.validation_data:
            self._warn_once(f"histograms of what layers give are those {_NO_ARRAYS}. Weights are written.")
            return
        data = (self.validation_data, epoch, self.batch_size)
        write_histograms_by_batch(self._train_writer, model, *data, outputs, self.write_grads)


class Trace:
    """A trace of some batches by torch's profiler.

    Args:
        profile_batch: A number, a pair, or both as text (`'10,20'`); 0 for no trace.

    Attributes:
        first: The number of the first batch, from 1; 0 for none.
        last: That of the last one.
    """

    def __init__(self, profile_batch: Any) -> None:
        numbers = profile_batch.split(",") if isinstance(profile_batch, str) else np.atleast_1d(profile_batch).tolist()
        try:
            self.first, self.last = (int(numbers[0]), int(numbers[-1])) if len(numbers) in (1, 2) else (-1, -1)
        except ValueError:
            self.first = self.last = -1
        if not 0 <= self.first <= self.last:
            expected = "0, the number of a batch from 1, or a first and a last one"
            raise argument_error("TensorBoard", "profile_batch", expected, profile_batch)
        self._profiler: torch.profiler.profile | None = None

    def start(self, folder: str) -> None:
        """Begin; the trace will be a file in `folder`."""
        write = torch.profiler.tensorboard_trace_handler(folder)
        self._profiler = torch.profiler.profile(on_trace_ready=write)
        self._profiler.start()

    def stop(self) -> None:
        """Write the trace, if one has begun."""
        profiler, self._profiler = self._profiler, None
        if profiler is not None:
            profiler.stop()


_NO_EMBEDDINGS = "left out: call SummaryWriter(log_dir).add_embedding(layer.get_weights()[0]) after fit"
_NO_ARRAYS = "on the validation data, which have to be arrays; give fit validation_data=(x, y)"


def _asks(value: Any) -> bool:
    """Tell whether an argument about embeddings asks for something."""
    return len(value) > 0 if hasattr(value, "__len__") else bool(value)


def _update_freq(value: Any) -> Any:
    if isinstance(value, str) and value in ("epoch", "batch"):
        return 1 if value == "batch" else value
    if isinstance(value, str):
        raise argument_error("TensorBoard", "update_freq", "'epoch', 'batch' or a number of batches", value)
    return positive_int("TensorBoard", "update_freq", value)
