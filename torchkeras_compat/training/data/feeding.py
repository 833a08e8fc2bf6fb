"""`Feeder`: what `fit`, `evaluate`, `predict` and their one-batch relatives were given becomes data for a model."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..._core.errors import argument_error
from ..._core.samples import Samples, batches_of
from ..._core.tree import is_branch
from ...utils.read_ahead import ONE_THREAD, Workers
from .arrays import BATCH_SIZE, ArrayData, batch_size_of, one_batch, split
from .batch import Batch
from .checks import expect_samples, warn_of_values
from .class_weights import say_class_weight_is_ignored, with_class_weight
from .drawn import drawn
from .inputs import build_by
from .signature import FedModel
from .standardize import (
    Arrays,
    cut_to_first,
    expect_equal_rows,
    input_arrays,
    rows_of,
    target_arrays,
    warn_of_extra_keys,
    weight_arrays,
)
from .streams import StreamData, batched, is_stream

Data = ArrayData | StreamData


class TrainingData(NamedTuple):
    """What one `fit` trains and validates on.

    Attributes:
        data: The batches to train on.
        validation: The batches to validate on.
        validation_arrays: What `validation` was made of, where that is arrays.
        validation_steps: How many batches a validation is, where it does not last until its data end.
    """

    data: Data
    validation: Data | None = None
    validation_arrays: Arrays | None = None
    validation_steps: int | None = None


class Feeder:
    """Makes the data of one call of a model's method.

    Args:
        model: The model.
        whole: Whether a user's step gets the data, in the trees that the user gave.
    """

    def __init__(self, model: FedModel, whole: bool = False) -> None:
        self.model = model
        known = model._signature()
        self.signature = known._replace(inputs=None, whole=True) if whole else known

    def training(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Any,
        *,
        batch_size: int | None,
        shuffle: bool | str,
        steps: int | Samples | None,
        validation_split: float,
        validation_data: Any,
        validation_batch_size: int | None,
        validation_steps: int | Samples | None,
        workers: Workers = ONE_THREAD,
    ) -> TrainingData:
        """Return what `fit` trains and validates on.

        Args:
            x: Inputs, or a source of batches.
            y: Targets.
            sample_weight: Sample weights.
            class_weight: Class weights.
            batch_size: Rows in a batch.
            shuffle: Whether rows are to come in a new order.
            steps: How many batches make an epoch, or how many samples, where it is they that are counted.
            validation_split: The share of the last rows to validate on.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a source of batches.
            validation_batch_size: Rows in a batch of validation.
            validation_steps: How many batches make a validation, or how many samples.
            workers: Who reads sources of batches.
        """
        size = self._asked("fit", batch_size)
        valid_size = size if validation_batch_size is None else batch_size_of("fit", validation_batch_size)
        valid_steps = batches_of(validation_steps)  # of samples, Keras 1 counted those of generators alone
        _need_x("fit", x)
        x, y, sample_weight = drawn("fit", x, y, sample_weight)
        x = batched(x, size or BATCH_SIZE, shuffle is True)
        validation: Data | None = None
        held_out: Arrays | None = None
        data: Data
        if is_stream(x):
            data = self._stream("fit", x, y, sample_weight, class_weight, steps, workers)
            if validation_split:
                raise ValueError("fit(validation_split=…): a generator cannot be split; give validation_data.")
        else:
            self._need_targets("fit", y)
            unweighted = self._arrays(x, y, sample_weight)
            arrays = self._with_class_weight(unweighted, class_weight)
            if validation_split and validation_data is None:
                arrays, held_out = split(arrays, validation_split)
                if not self.model._rules.class_weight_in_split:
                    held_out = split(unweighted, validation_split)[1]
            data = self._in_memory(arrays, size, steps)
            self._inspect(arrays)
        if validation_data is not None:
            validation, held_out = self._validation(validation_data, valid_size, validation_steps, workers)
        if held_out is not None:
            if valid_size is None and self.model._rules.steps_take_all_rows:
                valid_steps = None
            validation = self._in_memory(held_out, valid_size, valid_steps)
        return TrainingData(data, validation, held_out, valid_steps)

    def evaluation(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        *,
        batch_size: int | None,
        steps: int | Samples | None,
        workers: Workers = ONE_THREAD,
    ) -> Data:
        """Return what `evaluate` reads; the arguments are those of `training`."""
        _need_x("evaluate", x)
        size = self._asked("evaluate", batch_size)
        x, y, sample_weight = drawn("evaluate", x, y, sample_weight)
        x = batched(x, size or BATCH_SIZE)
        if is_stream(x):
            return self._stream("evaluate", x, y, sample_weight, None, steps, workers)
        self._need_targets("evaluate", y)
        return self._in_memory(self._arrays(x, y, sample_weight), size, steps)

    def prediction(
        self, x: Any, *, batch_size: int | None, steps: int | Samples | None, workers: Workers = ONE_THREAD
    ) -> Data:
        """Return what `predict` reads; the arguments are those of `training`."""
        _need_x("predict", x)
        size = self._asked("predict", batch_size)
        x, _, _ = drawn("predict", x)
        x = batched(x, size or BATCH_SIZE)
        if is_stream(x):
            return StreamData(x, self.signature, with_targets=False, samples=_samples(steps), workers=workers)
        return self._in_memory(self._arrays(x, by_first=self.model._rules.predict_cuts_inputs), size, steps)

    def is_one_batch(self, x: Any, batch_size: int | None) -> bool:
        """Tell whether `predict` would make one batch of arrays, as for a service that asks for a row at a time."""
        inputs = self.signature.inputs
        if self.signature.batch_size is not None:
            return False
        several = inputs is not None and len(inputs) > 1 and isinstance(x, (list, tuple)) and x
        first = x[0] if several else x
        size = BATCH_SIZE if batch_size is None else batch_size_of("predict", batch_size)
        if not isinstance(first, np.ndarray) or not first.ndim or not 0 < len(first) <= size:
            return False
        return not several or all(getattr(one, "shape", ())[:1] == first.shape[:1] for one in x)

    def one_batch(
        self, method: str, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None
    ) -> Batch:
        """Return the one batch of `train_on_batch` and its like.

        Args:
            method: The method.
            x: Inputs.
            y: Targets.
            sample_weight: Sample weights.
            class_weight: Class weights.
        """
        if method != "predict_on_batch":
            self._need_targets(method, y)
        arrays = self._arrays(x, y, sample_weight)
        if class_weight is not None:
            arrays = self._with_class_weight(arrays, class_weight)
        return one_batch(arrays, self.signature)

    # --- arrays --------------------------------------------------------------------------------------------------

    def _asked(self, method: str, batch_size: int | None) -> int | None:
        """Return the batch size that somebody asked for, in the call or by `batch_input_shape`."""
        return self.signature.batch_size if batch_size is None else batch_size_of(method, batch_size)

    def _arrays(self, x: Any, y: Any = None, weight: Any = None, by_first: bool = False) -> Arrays:
        signature, model = self.signature, self.model
        if isinstance(x, np.ndarray):
            inputs = input_arrays(x, signature)
        else:
            inputs = input_arrays(x, signature, y.shape[0] if getattr(y, "ndim", 0) else None)
            warn_of_extra_keys(x, signature)
        inputs = cut_to_first(inputs, signature) if by_first and is_branch(inputs) else inputs
        build_by(inputs, signature)
        several = is_branch(inputs)
        if y is None and weight is None and not several:
            return Arrays(inputs)
        outputs = None if y is None and weight is None else signature.outputs()  # predict needs no compile
        if y is not None:
            if not several and outputs is not None and len(outputs) == 1:
                expect_samples(inputs, y, signature, outputs[0])
            y = target_arrays(y, outputs, model, None if isinstance(y, np.ndarray) else rows_of(inputs))
        if weight is not None:
            weight = weight_arrays(weight, outputs, model)
        arrays = Arrays(inputs, y, weight)
        expect_equal_rows(arrays, signature, outputs)
        return arrays

    def _with_class_weight(self, arrays: Arrays, class_weight: Any) -> Arrays:
        if class_weight is None:
            return arrays
        ignored = None if self.model._rules.class_and_sample_weight else say_class_weight_is_ignored
        return with_class_weight(arrays, class_weight, self.signature.outputs(), self.model, ignored)

    def _in_memory(self, arrays: Arrays, batch_size: int | None, steps: int | Samples | None) -> ArrayData:
        """Return the arrays as batches; where steps are asked for without a size, the steps make the size."""
        rounds, batches = 1, batches_of(steps)
        if batch_size is None and batches is not None:
            whole = self.model._rules.steps_take_all_rows
            batch_size, rounds = (arrays.rows, batches) if whole else (-(-arrays.rows // batches), 1)
        batch_size = BATCH_SIZE if batch_size is None else batch_size
        self._expect_whole_batches(batch_size, arrays.rows)
        return ArrayData(arrays, batch_size, self.signature, rounds)

    def _expect_whole_batches(self, batch_size: int, rows: int) -> None:
        """Raise where a fixed batch size is not that asked for, or does not divide the number of rows."""
        fixed = self.signature.batch_size
        if fixed is None:
            return
        name, shapes = self.model.name, [slot.shape for slot in self.signature.inputs or ()]
        if batch_size != fixed:
            raise ValueError(
                f"{name}: batch_input_shape={shapes[0]} fixes the batch size at {fixed}; got batch_size={batch_size}."
            )
        if rows % fixed:
            kind = "a stateful model" if self.model.stateful else "batch_input_shape"
            raise ValueError(
                f"{name}: {kind} needs a number of samples that the batch size divides; got {rows} samples and "
                f"batches of {fixed}."
            )

    def _need_targets(self, method: str, y: Any) -> None:
        if y is None and self.signature.needs_targets():
            raise ValueError(
                f"{method}(y=None): y is missing; the model was compiled with a loss, which needs targets."
            )

    def _inspect(self, arrays: Arrays) -> None:
        """Warn of what trains in Keras too, and learns nothing."""
        warn_of_values(arrays, self.signature, self.signature.outputs())
        if not self.signature.whole:
            self.model._warn_before_training()

    # --- sources of batches ----------------------------------------------------------------------------------------

    def _stream(
        self,
        method: str,
        x: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Any,
        steps: int | Samples | None,
        workers: Workers,
    ) -> StreamData:
        for argument, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise argument_error(method, argument, "None; the generator yields it with x", value)
        if isinstance(class_weight, str):
            raise argument_error(method, "class_weight", "a dictionary {class: weight} with a generator", class_weight)
        inspect = self._inspect if method == "fit" else None
        data = StreamData(x, self.signature, class_weight, samples=_samples(steps), inspect=inspect, workers=workers)
        data.build_model()
        return data

    def _validation(
        self, source: Any, batch_size: int | None, steps: int | Samples | None, workers: Workers
    ) -> tuple[Data | None, Arrays | None]:
        """Return batches to validate on, or the arrays of which they are still to be cut."""
        if isinstance(source, (tuple, list)):
            if len(source) not in (2, 3):
                raise argument_error("fit", "validation_data", "(x, y) or (x, y, sample_weight)", source)
            x, y, weight = drawn("fit", *source)
            if x is source[0]:
                return None, self._arrays(x, y, weight)
            source = x
        source = batched(source, batch_size or BATCH_SIZE)
        if not is_stream(source):
            raise argument_error("fit", "validation_data", "(x, y) or (x, y, sample_weight)", source)
        return StreamData(source, self.signature, samples=_samples(steps), workers=workers), None


def _samples(steps: int | Samples | None) -> Samples | None:
    return steps if isinstance(steps, Samples) else None


def _need_x(method: str, x: Any) -> None:
    if x is None:
        raise ValueError(f"{method}(x=None): x is missing; give the inputs.")
