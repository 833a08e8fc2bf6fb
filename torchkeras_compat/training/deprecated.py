"""Calls that Keras dropped later and tutorials use."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

from .._core import settings
from .._core.border import entrance, known_by_name, user_stacklevel
from .._core.tree import flatten
from ..callbacks.base import ValidationArrays
from ..layers.base.traits import rates
from ..layers.normalization import BatchNormalization
from .compiled_model import CompiledModel
from .data.convert import to_numpy
from .data.sparse import SparseRows
from .data.standardize import Arrays
from .data.stored import StoredRows
from .trained_model import TrainedModel

Array = np.ndarray[Any, Any]


def validation_arrays(arrays: Arrays, model: TrainedModel, temporal: bool) -> ValidationArrays:
    """Return what Keras up to 2.3 sets as `validation_data` of callbacks: x, y, weights, and 0 as learning phase.

    Those of several inputs and outputs stand one after the other. Vectors are columns there, weights are ones where
    none were given, and the phase stands behind them where a layer behaves differently in training.

    Args:
        arrays: x, y and weights.
        model: The model.
        temporal: Whether each time step has a weight.
    """
    inputs, targets = ([_as_classic(leaf) for leaf in flatten(tree)] for tree in (arrays.x, arrays.y))
    weights = [None] * len(targets) if arrays.weight is None else [_as_classic(leaf) for leaf in flatten(arrays.weight)]
    for i, target in enumerate(targets):
        if weights[i] is None:
            like = inputs[0] if target is None else target
            weights[i] = np.ones(like.shape[: 2 if temporal else 1], settings.floatx())
    columns = [array[:, None] if array is not None and array.ndim == 1 else array for array in (*inputs, *targets)]
    phase = [0] if settings.learning_phase() is None and _knows_phase(model) else []
    return ValidationArrays([*columns, *weights, *phase])


def _as_classic(part: Any) -> Any:
    if isinstance(part, Tensor):
        return to_numpy(part)
    if isinstance(part, StoredRows) and part.ndim == 1:
        return part.dense()
    return part.matrix if isinstance(part, SparseRows) else part


def _knows_phase(layer: Any) -> bool:
    """Tell whether a layer, or one inside it, does something else in training than in inference."""
    if isinstance(layer, BatchNormalization):
        return True
    if any(rates(layer)):
        return True
    return any(_knows_phase(inner) for inner in layer._sublayers())


class ClassicCalls(CompiledModel):
    """The older names of what `fit`, `evaluate` and `predict` do, and the two `predict_…` that are gone."""

    # --- what TensorFlow's graphs need and these models do not --------------------------------------------------------

    def make_train_function(self, force: bool = False) -> None:
        """Accept: a step needs no graph to be made beforehand.

        Args:
            force: Accepted.
        """

    make_test_function = make_predict_function = make_train_function
    _make_test_function = _make_predict_function = make_train_function

    def _make_train_function(self) -> None:
        """Make the optimizer's state, as classic Keras does with its graph, so that `set_weights` fits it at once."""
        if self._compile_config is not None and self.built and not self.optimizer.get_weights()[1:]:
            model: Any = self  # the layers' half has the weights
            self.optimizer.build(model.trainable_weights)

    @property
    def state_updates(self) -> list[Any]:
        """Nothing: states change when the model runs."""
        return []

    @property
    def stateful_metric_names(self) -> list[str]:
        """The names of the metrics that keep a state of their own."""
        lines = getattr(self._compile_config, "lines", [])
        return [line.name for line in lines if line.function is None]

    @property
    def stateful_metrics(self) -> list[Any]:
        """The metrics that keep a state of their own."""
        lines = getattr(self._compile_config, "lines", [])
        return [line.metric for line in lines if line.function is None]

    stateful_metric_functions = stateful_metrics

    @property
    def run_eagerly(self) -> bool:
        """What `compile` was told; it may be set, and `True` turns `jit_compile` off."""
        return self._compile_config is not None and bool(self._compile_config.run_eagerly)

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        config = self._compiled("run_eagerly")
        if value and config.jit_compile:
            self.jit_compile = False
        config.run_eagerly = bool(value)

    @contextlib.contextmanager
    def _showing_accuracy(self, shown: Any) -> Iterator[None]:
        """Train or evaluate as if compiled with the metric `'accuracy'`: Keras 0.x asked for it in each call."""
        told, steps = self._compile_config, self._steps
        if told is None or not shown:  # of a model that is not compiled the call itself has to say
            yield
            return
        self._compile_config, self._steps = told.with_accuracy(), {}
        try:
            yield
        finally:
            self._compile_config, self._steps = told, steps

    # --- older names ------------------------------------------------------------------------------------------------

    @known_by_name
    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Array:
        """Return the predictions; warns when they are no probabilities.

        Args:
            x: Inputs.
            batch_size: Rows in a batch.
            verbose: As in `predict`.
        """
        predictions: Array = self.predict(x, batch_size, verbose)
        if predictions.min() < 0 or predictions.max() > 1:
            text = "predict_proba: the predictions lie outside [0, 1]; end the model in softmax or sigmoid."
            warnings.warn(text, stacklevel=user_stacklevel())
        return predictions

    @known_by_name
    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: Any = 0) -> Array:
        """Return the class of each row: the largest prediction, or whether the one there is exceeds .5.

        Args:
            x: Inputs.
            batch_size: Rows in a batch.
            verbose: As in `predict`.
        """
        predictions: Array = self.predict(x, batch_size, verbose)
        return predictions.argmax(-1) if predictions.shape[-1] > 1 else (predictions > 0.5).astype("int32")

    def _expect_steps(self, method: str, argument: str, generator: Any, steps: int | None) -> None:
        """Raise where classic Keras has to be told how many batches to draw: its generators never end.

        Raises:
            ValueError: The number is missing.
        """
        counts = steps is not None or not isinstance(generator, Iterator) or hasattr(generator, "__len__")
        if not counts and not self._rules.generators_may_end:
            raise ValueError(
                f"{method}: {argument} is missing, and a generator does not say how many batches there are; give "
                f"{argument}=…, such as len(x) // batch_size, or a keras.utils.Sequence."
            )

    @entrance
    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> Any:
        """Do what `fit` does with a source of batches.

        Args:
            generator: Yields `(x, y)` or `(x, y, sample_weight)`.
            steps_per_epoch: Batches in an epoch.
            epochs: Index behind the last epoch.
            verbose: As in `fit`.
            callbacks: As in `fit`.
            validation_data: As in `fit`.
            validation_steps: As in `fit`.
            validation_freq: As in `fit`.
            class_weight: As in `fit`.
            max_queue_size: As in `fit`.
            workers: As in `fit`.
            use_multiprocessing: As in `fit`.
            shuffle: Whether a `Sequence` is read in a new order each epoch.
            initial_epoch: As in `fit`.
        """
        self._expect_steps("fit_generator", "steps_per_epoch", generator, steps_per_epoch)
        return self.fit(
            generator,
            steps_per_epoch=steps_per_epoch,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
            class_weight=class_weight,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            max_queue_size=max_queue_size,
            workers=workers,
            use_multiprocessing=use_multiprocessing,
        )

    @entrance
    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
    ) -> Any:
        """Do what `evaluate` does with a source of batches.

        Args:
            generator: Yields `(x, y)` or `(x, y, sample_weight)`.
            steps: Batches to draw.
            callbacks: As in `evaluate`.
            max_queue_size: As in `fit`.
            workers: As in `fit`.
            use_multiprocessing: As in `fit`.
            verbose: As in `evaluate`.
        """
        self._expect_steps("evaluate_generator", "steps", generator, steps)
        readers = {"max_queue_size": max_queue_size, "workers": workers, "use_multiprocessing": use_multiprocessing}
        return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose, **readers)

    @entrance
    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
    ) -> Array:
        """Do what `predict` does with a source of batches.

        Args:
            generator: Yields inputs, or tuples that begin with them.
            steps: Batches to draw.
            callbacks: As in `predict`.
            max_queue_size: As in `fit`.
            workers: As in `fit`.
            use_multiprocessing: As in `fit`.
            verbose: As in `predict`.
        """
        self._expect_steps("predict_generator", "steps", generator, steps)
        readers = {"max_queue_size": max_queue_size, "workers": workers, "use_multiprocessing": use_multiprocessing}
        predictions: Array = self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose, **readers)
        return predictions
