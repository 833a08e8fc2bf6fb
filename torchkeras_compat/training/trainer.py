"""`Trainer`: compile, fit, evaluate and predict, as methods of a model."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from torch import nn

from .. import losses
from .._core import devices, registry, settings
from .._core.allocator import give_back_memory, keep_freed_memory
from .._core.border import entrance
from .._core.config import cached_by_class
from .._core.errors import argument_error
from .._core.logs import Logs
from .._core.ownership import is_ours
from .._core.progress import EpochProgress, verbosity
from .._core.samples import batches_of
from .._core.shapes import Shape
from .._core.threads import Lock
from .._core.tree import Tree, flatten
from .._core.weights import Weight
from ..callbacks.base import CallbackList, ValidationArrays
from ..layers.base.side_losses import held_metrics
from ..metrics import Metric
from ..utils.read_ahead import Workers
from . import arguments
from .as_it_was import AsItWas
from .compile_config import CompileConfig, make_config, with_loss_scale
from .compile_record import CompileRecord
from .custom_steps import CustomSteps
from .data.arrays import ArrayData
from .data.feeding import Data, Feeder
from .data.signature import ModelOutput, Signature
from .deprecated import ClassicCalls, validation_arrays
from .executors.choose_executor import choose_executor
from .heads import Head
from .loop import Run, Validation, run_evaluate, run_fit, run_predict
from .on_batch import BatchCalls
from .step.overrides import TRAINING_STEPS, written_steps
from .step.step import Step
from .symbolic_loss import SymbolicLoss
from .training_state import hand_out


class Trainer(CustomSteps, BatchCalls, ClassicCalls, CompileRecord, SymbolicLoss):
    """The training half of a model; the other half knows layers and shapes."""

    history: Any
    validation_data: Any

    def _start(self) -> None:
        """Set what an uncompiled model has."""
        self._compile_config = None
        self.history = None
        self.stop_training = False
        self.validation_data = None
        self._frozen_at_compile: list[Weight] | None = None
        self._there_at_compile: list[Weight] = []
        self._steps: dict[str, Step] = {}
        self._forward_step = None
        self._outputs: tuple[Any, Any, list[ModelOutput]] | None = None
        self._lock = Lock()  # held by what uses the one state of metrics, and by a stateful model

    def _forget_steps(self) -> None:
        """Forget what was made for the layers as they stood."""
        self._steps = {}
        self._forward_step = None
        self._outputs = None
        if self._compile_config is not None:
            self._compile_config.heads = None  # the layer that gives the output may be another
        self._frozen_at_compile = None

    # --- compile -------------------------------------------------------------------------------------------------

    @entrance
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool | None = None,
        steps_per_execution: int | None = None,
        jit_compile: bool | None = None,
        sample_weight_mode: Any = None,
        target_tensors: Any = None,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: By name or object; a `torch.optim.Optimizer` is used as it is.
            loss: By name, object or function of `(y_true, y_pred)`; `torch.nn` losses too.
            metrics: A list of names, objects or functions.
            loss_weights: A factor of the loss.
            weighted_metrics: Metrics that count sample weights.
            run_eagerly: Whether steps run eagerly on CUDA, too, where they otherwise become CUDA graphs.
            steps_per_execution: Accepted; hooks see every batch.
            jit_compile: Whether a training step becomes one graph: a compiled one on the CPU, a CUDA graph on CUDA
                (where it becomes one unless this is `False`). What cannot become one runs eagerly, and one line says
                why. Attributes of layers, such as a rate, count as they are at the first step.
            sample_weight_mode: Accepted; weights of time steps are known by their shape.
            target_tensors: Refused; targets are given to `fit`.

        Raises:
            ValueError: An unknown name, with «did you mean», or both `run_eagerly` and `jit_compile`.

        Example:
            >>> import torchkeras_compat as keras
            >>> model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
            >>> model.compile(optimizer=keras.optimizers.SGD(lr=.1), loss='mse', metrics=['mae'])
            >>> model.optimizer.lr
            0.1
        """
        if target_tensors is not None:
            raise argument_error("compile", "target_tensors", "None; give the targets to fit(x, y)", target_tensors)
        told = {
            "optimizer": optimizer,
            "loss": loss,
            "metrics": metrics,
            "loss_weights": loss_weights,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        config = make_config(self._rules, self._dialect, told, sample_weight_mode)
        config.optimizer = with_loss_scale(self.dtype_policy, config.optimizer)
        if self.output_names:
            config.heads_for(self.output_names, self._output_keys())  # what was said of no output is refused here
        self._compile_config = config
        self._steps = {}
        self._forward_step = None
        self._frozen_at_compile = None
        if not self._waits_for_batch(False):
            self._note_trained_weights()

    @property
    def optimizer(self) -> Any:
        """The optimizer given to `compile`."""
        return None if self._compile_config is None else self._compile_config.optimizer

    @optimizer.setter
    def optimizer(self, value: Any) -> None:
        self._compiled("optimizer").optimizer = value
        self._steps = {}

    @property
    def jit_compile(self) -> bool:
        """Whether training steps are compiled; it may be set."""
        return self._compile_config is not None and bool(self._compile_config.jit_compile)

    @jit_compile.setter
    def jit_compile(self, value: bool) -> None:
        self._compiled("jit_compile").jit_compile = bool(value)
        self._steps = {}

    @property
    def loss(self) -> Any:
        """The loss as it was given to `compile`."""
        return None if self._compile_config is None else self._compile_config.told["loss"]

    @property
    def metrics_names(self) -> list[str]:
        """What the numbers of `evaluate` are called: the losses, then the metrics; nothing before `compile`."""
        config = self._compile_config
        if config is None:
            return []
        step = next(iter(self._steps.values()), None)
        if step is not None:
            names = [*step.averages.metric_names, *(metric.name for metric in self._own_metrics())]
            told = not step.overrides.compute_loss or step.averages.loss.result() is not None
            told = told and not self._steps_tell_no_loss(config)
            return list(dict.fromkeys(names if told else names[1:]))
        heads = config.heads or []
        by_output = [f"{head.name}_loss" for head in heads if len(heads) > 1 and head.loss is not None]
        return ["loss", *by_output, *(name for head in heads for name in head.metric_names())]

    @property
    def metrics(self) -> list[Any]:
        """The metric objects: the mean of the loss, and what `compile` was told, once the first targets are known."""
        config = self._compile_config
        if config is None:
            return self._own_metrics()
        lines = (line.metric for line in config.lines)
        told = [] if self._steps_tell_no_loss(config) else config.loss_metrics.values()
        return [*told, *lines, *config.side_metrics.values(), *self._own_metrics()]

    def _steps_tell_no_loss(self, config: CompileConfig) -> bool:
        """Tell whether the user's own step that runs, or all of them, have left the compiled loss alone."""
        running = settings.running_phase()
        modes = ("train", "test") if running is None else ("train" if running else "test",)
        steps = [self._steps[mode] for mode in modes if mode in self._steps]
        if not any(step.overrides.train_step or step.overrides.test_step for step in steps):
            return False
        return all(step.averages.loss.result() is None for step in steps)

    def _metric_holders(self) -> list[nn.Module]:
        """Return the layers and models of users', this one among them: what may hold metrics."""
        if _is_plain(type(self)) and not self._traits.runs_user_code:
            return []
        modules = nn.Module.modules(self)  # type: ignore[arg-type]
        layers = (module for module in modules if getattr(module, "_is_layer", False))
        return [layer for layer in layers if not is_ours(type(layer))]

    def _own_metrics(self, holders: Iterable[nn.Module] | None = None) -> list[Metric]:
        """Return the metric objects that a user's model and layers hold, or that it lists in a `metrics` of its own.

        Args:
            holders: What may hold some, where that is known.
        """
        if not _lists_metrics(type(self)):
            holders = self._metric_holders() if holders is None else holders
            if not holders:
                return []
            held = (metric for holder in holders for metric in held_metrics(holder))
            return list({id(metric): metric for metric in held}.values())
        config = self._compile_config
        compiled = [] if config is None else [*config.loss_metrics.values(), *(line.metric for line in config.lines)]
        return [metric for metric in self.metrics if all(metric is not known for known in compiled)]

    def _reset_own_metrics(self) -> None:
        for metric in self._own_metrics():
            metric.reset_state()

    def _compiled(self, method: str) -> CompileConfig:
        if self._compile_config is None:
            raise RuntimeError(f"{method}: the model is not compiled; call compile(optimizer=…, loss=…) first.")
        return self._compile_config

    def _heads(self) -> list[Head]:
        """Return the outputs with what `compile` was told about each."""
        config = self._compile_config
        if config is None:  # as for `predict`
            return [Head(name, None, 1.0, [], [], self._rules) for name in self.output_names]
        if not config.heads:  # or none was known yet
            return config.heads_for(self.output_names, self._output_keys())
        return config.heads

    # --- what a step needs ---------------------------------------------------------------------------------------

    def make_step(self, mode: str = "test") -> Step:
        """Return the step of `'train'` or `'test'`, made once after each `compile`."""
        config = self._compiled("fit" if mode == "train" else "evaluate")
        self._forget_losses()
        if mode not in self._steps or self._steps[mode].outdated():
            keep_freed_memory()
            step = self._steps[mode] = Step(self, config, self._heads(), self._table_to_train())
            if mode == "train":
                step.choose_executor = choose_executor
        return self._steps[mode]

    # --- what the data side asks ---------------------------------------------------------------------------------

    @property
    def _feeder(self) -> Feeder:
        """What makes the data of one call that trains or evaluates."""
        return Feeder(self, whole=not written_steps(self).isdisjoint(TRAINING_STEPS))

    def _signature(self) -> Signature:
        """Return what is known of the inputs, and where data go."""
        device, dtype = devices.home_of(self)  # type: ignore[arg-type]
        device, dtype = device or settings.default_device(), dtype or settings.torch_dtype(None)
        inputs = self._model_inputs()
        sizes = [one.shape[0] for one in inputs or () if one.shape and one.shape[0] is not None]
        return Signature(self, device, dtype, inputs, sizes[0] if sizes else None)

    def _model_outputs(self) -> Sequence[ModelOutput] | None:
        """Return the outputs as `compile` left them; made again only where a loss or a shape has changed."""
        known = self._outputs
        if (known is None or known[1] is not self._built_shape) and not self.output_names:
            return None
        heads = self._heads()
        losses_now = [head.loss for head in heads]
        if known is None or known[0] != losses_now or known[1] is not self._built_shape or len(known[2]) != len(heads):
            ends = [None] * len(heads) if self._output_tree is None else self._list_of_outputs
            shapes = [None if end is None else tuple(end.shape) for end in ends]
            told = [_output_of(head, shape) for head, shape in zip(heads, shapes)]
            self._outputs = known = (losses_now, self._built_shape, told)
        return known[2]

    def _resolve_metrics(self, targets: Sequence[Shape | None]) -> None:
        """Take the shapes of the targets: what `'accuracy'` is depends on them."""
        heads = self._heads()
        if all(head.lines is not None or target is None for head, target in zip(heads, targets)):
            return
        for head, output, target in zip(heads, self._list_of_outputs, targets):
            if target is not None:
                head.resolve_metrics(tuple(output.shape), target)
        for step in self._steps.values():  # of a generator, whose first batch arrives when the step is there
            step.follow_metrics()

    def _warn_before_training(self) -> None:
        """Warn of what trains in Keras too, and learns nothing."""
        (head, *others) = self._heads()
        if not others and not _name_of(head.loss).startswith("categorical"):  # which warns itself of a single class
            arguments.warn_of_one_unit(self)

    def _progress(self, epochs: int, verbose: Any, header: bool) -> EpochProgress:
        return EpochProgress(epochs, verbosity("fit", verbose), header=header)

    # --- fit -----------------------------------------------------------------------------------------------------

    @entrance
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """Train for a number of epochs.

        Args:
            x: Inputs: an array, a list, a pandas object, a sparse matrix or a tensor, or a source of batches
                `(x, y[, sample_weight])`.
            y: Targets.
            batch_size: Rows in a batch; 32 if `None`.
            epochs: Index behind the last epoch.
            verbose: 0 nothing, 1 a bar, 2 one line an epoch, `'auto'` a bar.
            callbacks: A list of callbacks.
            validation_split: Fraction of the rows, the last ones, to validate on.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a source of batches.
            shuffle: Whether rows are drawn in a new order each epoch; `'batch'` keeps batches together.
            class_weight: `{class: weight}` or `'balanced'`.
            sample_weight: A weight for each row, or each row and time step.
            initial_epoch: Index of the first epoch.
            steps_per_epoch: Batches in an epoch; without a `batch_size`, arrays are divided into as many, and in
                classic Keras each has all rows.
            validation_steps: Batches to validate on.
            validation_batch_size: Rows in a validation batch.
            validation_freq: Every how many epochs to validate, or a list of epochs counted from 1.
            max_queue_size: How many batches may wait.
            workers: How many threads or processes read a generator or a `Sequence` ahead; 0 reads when a batch is due.
                One thread does so where that takes time; a source that gives its batches at once is not read ahead.
            use_multiprocessing: Whether they are processes, each with a copy of the source.

        Returns:
            The `History`.

        Raises:
            RuntimeError: The model is not compiled.
            ValueError: Data that do not fit the model or each other.

        Example:
            >>> import numpy as np, torchkeras_compat as keras
            >>> model = keras.Sequential([keras.layers.Dense(1, input_dim=2)])
            >>> model.compile('sgd', 'mse')
            >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0)
            >>> history.epoch
            [0, 1, 2]
        """
        self._compiled("fit")
        steps = arguments.step_count("fit", "steps_per_epoch", steps_per_epoch)
        valid_steps = arguments.step_count("fit", "validation_steps", validation_steps)
        order = arguments.shuffling(shuffle)
        readers = Workers.of("fit", workers, use_multiprocessing, max_queue_size)
        with self._unchanged_on_error():
            fed = self._feeder.training(
                x,
                y,
                sample_weight,
                class_weight,
                batch_size=batch_size,
                shuffle=order,
                steps=steps,
                validation_split=validation_split,
                validation_data=validation_data,
                validation_batch_size=validation_batch_size,
                validation_steps=valid_steps,
                workers=readers,
            )
            validation: Validation | None = None
            if fed.validation is not None:
                due = arguments.frequency(validation_freq)
                validation = Validation(fed.validation, fed.validation_steps, due, fed.validation_arrays)
            run = Run(
                self.make_step("train"),
                fed.data,
                CallbackList(callbacks, add_history=True, model=self),
                self._progress(epochs, verbose, self._rules.single_epoch_has_header or epochs > 1),
                arguments.integer("fit", "epochs", epochs),
                arguments.integer("fit", "initial_epoch", initial_epoch),
                order,
                batches_of(steps, fed.data.batch_size),
                validation,
                self._rules.running_batch_logs,
            )
        return self._carry_out(run)

    def _carry_out(self, run: Run) -> Any:
        """Train as one call of `fit` says, and return its history."""
        run.announce()
        self._hand_out_validation(run)
        before, self.history = self.history, run.callbacks.history
        keepers = hand_out(run, self)
        try:
            run_fit(run, self)
        except Exception:  # an interrupt keeps the history
            self.history = self.history if self.history.epoch else before
            raise
        finally:
            self.validation_data = None
            for callback in keepers:
                callback._training_state = None
            give_back_memory()
        return self.history

    def _hand_out_validation(self, run: Run) -> None:
        """Let callbacks, and while it trains the model, have the arrays to validate on, as in classic Keras."""
        if len(run.callbacks.callbacks) == 1:
            return  # the history alone, which does not ask for them
        classic, arrays = self._rules.validation_data_to_callbacks, None
        if run.validation is not None and run.validation.arrays is not None:
            temporal = "temporal" in flatten(self._compiled("fit").sample_weight_mode)
            arrays = validation_arrays(run.validation.arrays, self, temporal)
        elif classic and run.validation is None and isinstance(run.data, ArrayData):
            arrays = ValidationArrays()
        run.callbacks.set_validation_data(arrays, classic)
        self.validation_data = arrays

    def _unchanged_on_error(self) -> AsItWas:
        """Put the model back as it was, unbuilt if it was, when the data turn out not to fit."""
        return AsItWas(self)

    # --- evaluate and predict ------------------------------------------------------------------------------------

    @entrance
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss, or a list of the loss and the metrics, over the data.

        Args:
            x: Inputs, or a source of batches.
            y: Targets.
            batch_size: Rows in a batch; 32 if `None`.
            verbose: 0 nothing, 1 and `'auto'` a bar, 2 one line.
            sample_weight: A weight for each row.
            steps: Batches to draw; of arrays as in `fit`.
            callbacks: A list of callbacks.
            max_queue_size: As in `fit`.
            workers: As in `fit`.
            use_multiprocessing: As in `fit`.
            return_dict: Whether to return a dictionary by name.

        Raises:
            RuntimeError: The model is not compiled.
            ValueError: Data that do not fit the model or each other, or a source without batches.
        """
        self._compiled("evaluate")
        counted = arguments.step_count("evaluate", "steps", steps)
        readers = Workers.of("evaluate", workers, use_multiprocessing, max_queue_size)
        with self._lock:
            with self._unchanged_on_error():
                data = self._feeder.evaluation(
                    x, y, sample_weight, batch_size=batch_size, steps=counted, workers=readers
                )
                batches = batches_of(counted, data.batch_size)
                shown = verbosity("evaluate", verbose)
                listed = self._listed(callbacks, data, batches, shown)
            progress = self._progress(1, verbose, False) if shown else None
            values = run_evaluate(self.make_step(), data, batches, listed, progress)
            if values is None:
                raise ValueError("evaluate: the data yielded no batches.")
            return self._outcome(values, return_dict)

    def _listed(self, callbacks: Any, data: Data, steps: int | None, verbose: int) -> CallbackList:
        """Return the callbacks of `evaluate` or `predict`, which know what is going to happen."""
        if isinstance(callbacks, CallbackList):
            return CallbackList(callbacks, model=self)
        known: dict[str, Any] = {
            "batch_size": data.batch_size,
            "epochs": 1,
            "steps": data.steps if steps is None else steps,
            "samples": data.n,
            "verbose": verbose,
        }
        return CallbackList(callbacks, model=self, **known)

    def _outcome(self, values: dict[str, float], as_dict: bool) -> Any:
        if as_dict:
            return Logs(values)
        ordered = list(values.values())
        return ordered[0] if len(ordered) == 1 else ordered

    @entrance
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Tree:
        """Return the predictions for all rows.

        Args:
            x: Inputs, or a source of batches.
            batch_size: Rows in a batch; 32 if `None`.
            verbose: 0 nothing, 1 a bar; `'auto'` as the dialect has it.
            steps: Batches to draw; of arrays as in `fit`.
            callbacks: A list of callbacks.
            max_queue_size: As in `fit`.
            workers: As in `fit`.
            use_multiprocessing: As in `fit`.

        Example:
            >>> import numpy as np, torchkeras_compat as keras
            >>> keras.Sequential([keras.layers.Dense(3, input_dim=2)]).predict(np.ones((5, 2))).shape
            (5, 3)
        """
        shown = int(self._rules.predict_shows_progress) if verbose == "auto" else verbosity("predict", verbose)
        step = self._make_forward_step()
        feeder = Feeder(self, whole=step.overrides.predict_step)
        if not shown and callbacks is None and steps is None and feeder.is_one_batch(x, batch_size):
            return self._predict_batch(step, feeder, x)  # a service asks for one row at a time: no loop around it
        counted = arguments.step_count("predict", "steps", steps)
        readers = Workers.of("predict", workers, use_multiprocessing, max_queue_size)
        with self._unchanged_on_error():
            data = feeder.prediction(x, batch_size=batch_size, steps=counted, workers=readers)
            batches = batches_of(counted, data.batch_size)
            listed = self._listed(callbacks, data, batches, shown)
        progress = self._progress(1, shown, False)
        with self._lock if self.stateful else nullcontext():
            return run_predict(step, data, batches, listed, progress)


def _name_of(loss: Any) -> str:
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", ""))


def _output_of(head: Head, shape: Shape | None) -> ModelOutput:
    """Return what the data side is told of an output."""
    loss = head.loss
    if loss is None:
        uses_targets = bool(head.metrics or head.weighted_metrics)
        return ModelOutput(head.name, shape, None, uses_targets, True, True, head.key)
    by_element = not isinstance(loss, losses.Loss) and registry.name_of("loss", loss) is None
    integers = isinstance(loss, nn.Module) or _name_of(loss).startswith("sparse_")
    return ModelOutput(head.name, shape, head.resolved_loss().loss, True, integers, by_element, head.key)


@cached_by_class
def _lists_metrics(cls: type) -> bool:
    """Tell whether a user's model has a `metrics` of its own."""
    listed = inspect.getattr_static(cls, "metrics")
    return not isinstance(listed, property) or not is_ours(listed.fget)


@cached_by_class
def _is_plain(cls: type) -> bool:
    """Tell whether a model's class is this package's own."""
    return is_ours(cls)
