"""Epochs and batches: training, validation, evaluation and prediction around one step."""

from __future__ import annotations

import contextlib
import functools
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from .._core import randomness, settings
from .._core.border import user_stacklevel
from .._core.logs import Logs, LogValue
from .._core.progress import EpochProgress, say
from .._core.tree import Tree
from ..callbacks.base import CallbackList
from .compiled_model import CompiledModel
from .data.batch import Batch
from .data.convert import joined_predictions, predictions
from .data.feeding import Data
from .data.standardize import Arrays
from .data.streams import StreamData
from .interrupts import Interrupts, interactive
from .out_of_memory import MemoryGuard, OutOfMemoryError
from .step.forward import ForwardStep
from .step.step import Step
from .trained_model import TrainedModel

R = TypeVar("R")


@dataclass
class Validation:
    """When and on what to validate.

    Attributes:
        data: The validation batches.
        steps: How many of them; all if `None`.
        frequency: Every how many epochs, or the epochs (counted from 1) after which.
        arrays: What `data` was made of, where that is arrays.
    """

    data: Data
    steps: int | None = None
    frequency: Any = 1
    arrays: Arrays | None = None

    def due(self, epoch: int) -> bool:
        """Tell whether to validate after the epoch with this index."""
        if isinstance(self.frequency, int):
            return (epoch + 1) % self.frequency == 0
        return epoch + 1 in self.frequency


@dataclass
class Run:
    """One call of `fit`.

    Attributes:
        step: What happens to a batch.
        data: The training batches.
        callbacks: The callbacks, the model's history among them.
        progress: The text on the screen.
        epochs: Index behind the last epoch.
        initial_epoch: Index of the first epoch.
        shuffle: `True`, `False` or `'batch'`.
        steps: Batches in an epoch; as many as there are if `None`.
        validation: When and on what to validate.
        running_logs: Whether batch hooks see the epoch's running means instead of the batch's own values.
        interrupts: Takes note of a Ctrl-C.
        finished: Whether training has come to its end, and was not interrupted.
        resume_epoch: Puts the averages of an epoch back that had begun before, and returns how many of its batches are
            past.
    """

    step: Step
    data: Data
    callbacks: CallbackList
    progress: EpochProgress
    epochs: int
    initial_epoch: int = 0
    shuffle: bool | str = True
    steps: int | None = None
    validation: Validation | None = None
    running_logs: bool = False
    interrupts: Interrupts = field(default_factory=Interrupts)
    finished: bool = False
    resume_epoch: Callable[[], int] | None = None
    _stream: Iterator[Batch] | None = None

    def __post_init__(self) -> None:
        self._passes_allowed = self.epochs - self.initial_epoch
        if isinstance(self.data, StreamData):
            self.data.used_at_once = self.step.uses_inputs_at_once

    def announce(self) -> None:
        """Tell the callbacks what is going to happen."""
        names = self.step.averages.metric_names
        names += [f"val_{name}" for name in names] if self.validation is not None else []
        self.callbacks.set_params(
            {
                "batch_size": self.data.batch_size,
                "epochs": self.epochs,
                "nb_epoch": self.epochs,
                "steps": self.data.steps if self.steps is None else self.steps,
                "samples": self.data.n,
                "nb_sample": self.data.n,
                "verbose": self.progress.verbose,
                "do_validation": self.validation is not None,
                "metrics": names,
            }
        )

    @property
    def is_one_stream(self) -> bool:
        """Whether an epoch begins where the one before ended, and not with a new pass over the data."""
        return self.steps is not None and self.data.goes_on(self.steps)

    def batches(self, past: int = 0) -> Iterator[Batch]:
        """Return the batches of the next epoch; arrays cut into `steps` go on where the epoch before ended.

        Args:
            past: How many of them are past.
        """
        limit = None if self.steps is None else self.steps - past
        if not self.is_one_stream:
            return self.data.epoch(self.shuffle, limit)
        if self._stream is None and isinstance(self.data, StreamData):
            self._stream = iter(self.data.epoch(self.shuffle))
        if self._stream is None:
            self._stream = itertools.chain.from_iterable(self._passes())
        return itertools.islice(self._stream, limit)

    def _passes(self) -> Iterator[Iterator[Batch]]:
        """Yield as many passes as there are epochs, those before training resumed counted."""
        position = self.data.position
        begun = 0 if position is None else position.begun - position.goes_on
        for _ in range(begun, self._passes_allowed):
            yield self.data.epoch(self.shuffle)


def run_fit(run: Run, model: CompiledModel) -> None:
    """Train for the epochs of `run`; ends early when the model is told to stop or the user interrupts."""
    randomness.draw_seed()
    callbacks, step = run.callbacks, run.step
    model.stop_training = False
    run.data.skip_order(run.steps)
    step.prepare()
    logs: Mapping[str, Any] = {}
    failed = False
    with run.interrupts, contextlib.closing(run.progress):
        callbacks.call("on_train_begin")
        try:
            for epoch in range(run.initial_epoch, run.epochs):
                callbacks.call("on_epoch_begin", epoch)
                done = _train_epoch(run, model, epoch)
                short = (done < (run.steps or 1) or run.data.ran_out) and not (
                    model.stop_training or run.interrupts.asked
                )
                if short:
                    _data_ended(run, epoch, done)
                if not done or run.interrupts.asked:
                    break
                logs = _end_epoch(run, model, epoch)
                if short or model.stop_training or run.interrupts.asked:
                    break
                run.data.end_epoch()
            run.finished = not run.interrupts.asked
        except Exception:  # of which callbacks hear nothing more, as in Keras; of an interrupt they do
            failed = True
            raise
        finally:
            run.data.stop_reading(for_good=True)
            step.update.finish()
            if not failed:
                callbacks.call("on_train_end", logs=logs)
    if run.interrupts.asked:
        _interrupted(len(callbacks.history.epoch))


def _interrupted(epochs: int) -> None:
    """Say so where somebody sits at a prompt; raise in a script."""
    if not interactive():
        raise KeyboardInterrupt
    say(f"\nInterrupted after {epochs} whole epochs; the model keeps its weights, model.history what was recorded.")


def _data_ended(run: Run, epoch: int, done: int) -> None:
    """Raise when there were no data at all; say that training ends when they do not last for all epochs."""
    if done == 0 and epoch == run.initial_epoch:
        raise ValueError(f"fit: the data yielded no batches in epoch {epoch + 1}.")
    promised = "" if run.steps is None else f" of {run.steps}"
    enough = "samples_per_epoch * epochs samples" if run.data.ran_out else "steps_per_epoch * epochs batches"
    warnings.warn(
        f"the data ended after {done}{promised} steps of epoch {epoch + 1}; training stops. Give at least {enough}, "
        f"or a generator that repeats.",
        stacklevel=user_stacklevel(),
    )


def _train_epoch(run: Run, model: CompiledModel, epoch: int) -> int:
    """Train on the batches of one epoch and return how many there were."""
    step, data, progress = run.step, run.data, run.progress
    step.averages.reset()
    model._reset_own_metrics()
    progress.epoch_begin(epoch, run.steps or data.steps)
    hooks, reads_logs = run.callbacks.wants_batches("train"), run.callbacks.reader("train")
    training = settings.running(True)

    def results() -> dict[str, float]:  # of the averages of now: the first targets may have made others
        return step.averages.results()

    done, batches = _begin_epoch(run, model)
    guard = MemoryGuard("fit", step.model, step)
    for batch in batches:
        if hooks:
            run.callbacks.call("on_train_batch_begin", done, logs=_about(step.model, done, batch.size))
        if guard.keeps:
            guard.keep()
        try:
            with training:
                step.train(batch)
        except RuntimeError as error:
            guard.explain(error, batch.size)
        done += 1
        if hooks:
            logs = _batch_logs(run, done - 1, batch.size, reads_logs(batch.size))
            run.callbacks.call("on_train_batch_end", done - 1, logs=logs)
        progress.update(done, results)
        if run.interrupts.asked or model.stop_training:
            break
    data.stop_reading()
    return done


def _begin_epoch(run: Run, model: CompiledModel) -> tuple[int, Iterator[Batch]]:
    """Return how many batches of an epoch are past, where training resumes in its midst, and the others."""
    if run.resume_epoch is None:
        return 0, run.batches()
    done, run.resume_epoch = run.resume_epoch(), None
    return done, iter(()) if model.stop_training else run.batches(done)  # it had been told to stop at that batch


def _batch_logs(run: Run, index: int, size: int, with_values: bool) -> Mapping[str, Any]:
    about = _about(run.step.model, index, size)
    if not with_values:
        return about
    averages = run.step.averages
    values = averages.results() if run.running_logs else averages.last_batch()
    return Logs({**about, **values})


def _about(model: TrainedModel, index: int, size: int) -> dict[str, Any]:
    """Return what the logs of a batch hook say about the batch, which is nothing in those of tf.keras."""
    return {"batch": index, "size": size} if model._rules.batch_logs_name_batch else {}


def _end_epoch(run: Run, model: CompiledModel, epoch: int) -> Logs:
    logs = Logs(run.step.averages.results())
    if run.validation is not None and run.validation.due(epoch):
        with model._lock:
            values = run_evaluate(model.make_step(), run.validation.data, run.validation.steps, run.callbacks)
        if values is None:
            warnings.warn(
                f"the validation data yielded no batches in epoch {epoch + 1}, which has no val_… values; give a "
                f"generator that repeats.",
                stacklevel=user_stacklevel(),
            )
        logs.update({f"val_{name}": value for name, value in (values or {}).items()})
    told = Logs(logs)  # what callbacks add is theirs
    if model._rules.epoch_logs_have_items:
        told.update({name: LogValue(value) for name, value in logs.items() if isinstance(value, float)})
    if model._rules.line_before_callbacks:
        run.progress.epoch_end(_numbers(logs))
    run.callbacks.call("on_epoch_end", epoch, logs=told)
    if not model._rules.line_before_callbacks:
        run.progress.epoch_end(_numbers(told))
    return logs


def _numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    """Return what has a place on a line."""
    return {k: v for k, v in logs.items() if isinstance(v, (int, float)) or getattr(v, "ndim", None) == 0}


def run_evaluate(
    step: Step, data: Data, steps: int | None, callbacks: CallbackList, progress: EpochProgress | None = None
) -> dict[str, float] | None:
    """Return the loss and the metrics over the batches, `None` where there were none."""
    step.prepare_test()
    step.averages.reset()
    step.model._reset_own_metrics()
    callbacks.call("on_test_begin")
    if progress is not None:
        progress.epoch_begin(0, steps or data.steps)
    at_once = 0 if callbacks.wants_batches("test") else step.samples_at_once(data.sample)
    run = functools.partial(_evaluate_batches, step, data, steps, callbacks, progress)
    with _without_gradients(step.model), _reading(data, steps):
        done = _joined_or_one_by_one(step.model, at_once, run, step.averages.reset)
    _warn_if_short(data)
    values = step.averages.results() if done else {}
    if progress is not None:
        progress.epoch_end(values)
    callbacks.call("on_test_end", logs=values)
    return values if done else None


def _evaluate_batches(
    step: Step, data: Data, steps: int | None, callbacks: CallbackList, progress: EpochProgress | None, at_once: int
) -> int:
    """Evaluate each batch, or up to so many samples `at_once`; return how many batches there were."""
    hooks, testing = callbacks.wants_batches("test"), settings.running(False)
    guard = MemoryGuard("evaluate", step.model)
    done = 0
    with _joined_batches(step.model, data, at_once):
        for i, batch in enumerate(data.epoch(False, steps, at_once)):
            if hooks:
                callbacks.call("on_test_batch_begin", i, logs=_about(step.model, i, batch.size))
            if guard.keeps:
                guard.keep()
            try:
                with testing:
                    step.test(batch)
            except RuntimeError as error:
                guard.explain(error, batch.size)
            if hooks:
                logs = {**_about(step.model, i, batch.size), **step.averages.results()}
                callbacks.call("on_test_batch_end", i, logs=logs)
            done += data.batches_in(batch.size)
            if progress is not None:
                progress.update(done, step.averages.results)
    return done


@contextlib.contextmanager
def _reading(data: Data, steps: int | None) -> Iterator[None]:
    """Make one pass over the data in the block."""
    data.skip_order(steps)
    try:
        yield
    finally:
        data.stop_reading(for_good=True)
    data.end_epoch()


def _warn_if_short(data: Data) -> None:
    if data.ran_out:
        warnings.warn(f"the data ended before {data.n} samples had passed.", stacklevel=user_stacklevel())


def _without_gradients(model: TrainedModel) -> AbstractContextManager[Any]:
    # States that outlive the batch may later be used in training, which inference tensors may not.
    return torch.no_grad() if model.stateful else torch.inference_mode()


def _joined_batches(model: TrainedModel, data: Data, at_once: int) -> settings.joined_batches:
    # The batches of a stateful model follow one another: joined, they are longer sequences of the same rows.
    return settings.joined_batches((data.batch_size or 0) if at_once and model.stateful else 0)


def _joined_or_one_by_one(
    model: TrainedModel, at_once: int, run: Callable[[int], R], before_again: Callable[[], None] | None = None
) -> R:
    """Return what running batches gives, one by one where memory is too short for as many together.

    Args:
        model: The model.
        at_once: How many samples may run together.
        run: Takes that number.
        before_again: Forgets what the first attempt has noted.
    """
    try:
        return run(at_once)
    except OutOfMemoryError:
        if not at_once or model.stateful:
            raise
    # Behind the handler, for the error holds what the attempt still has in memory.
    if before_again is not None:
        before_again()
    return run(0)


def run_predict(
    step: ForwardStep,
    data: Data,
    steps: int | None,
    callbacks: CallbackList,
    progress: EpochProgress,
) -> Tree:
    """Return the predictions of all batches as one array for each output."""
    hooks = callbacks.wants_batches("predict")
    callbacks.call("on_predict_begin")
    progress.epoch_begin(0, steps or data.steps)
    model, by_step = step.model, step.overrides.predict_step
    at_once = 0 if hooks or by_step else model._samples_at_once(True, data.sample)
    run = functools.partial(_predict_batches, step, data, steps, callbacks, progress)
    with _without_gradients(model), _reading(data, steps):
        outputs, last = _joined_or_one_by_one(model, at_once, run)
    _warn_if_short(data)
    progress.epoch_end({})
    callbacks.call("on_predict_end")
    if not outputs:
        raise ValueError("predict: the data yielded no batches.")
    return joined_predictions(outputs, last, by_step or model._traits.runs_user_code)


def _predict_batches(
    step: ForwardStep, data: Data, steps: int | None, callbacks: CallbackList, progress: EpochProgress, at_once: int
) -> tuple[list[Tree], Tree]:
    """Return what the model gives for each batch, or for up to so many samples `at_once`, and the last inputs."""
    hooks = callbacks.wants_batches("predict")
    guard = MemoryGuard("predict", step.model)
    outputs: list[Tree] = []
    done, x = 0, None
    with _joined_batches(step.model, data, at_once):
        for i, batch in enumerate(data.epoch(False, steps, at_once)):
            x = batch.x
            if hooks:
                callbacks.call("on_predict_batch_begin", i, logs=_about(step.model, i, batch.size))
            if guard.keeps:
                guard.keep()
            try:
                outputs.append(step.predict(x))
            except RuntimeError as error:
                guard.explain(error, batch.size)
            if hooks:
                logs = {**_about(step.model, i, batch.size), "outputs": predictions(outputs[-1], x, True)}
                callbacks.call("on_predict_batch_end", i, logs=logs)
            done += data.batches_in(batch.size)
            progress.update(done)
    return outputs, x
