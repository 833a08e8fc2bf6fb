"""The parts of a step as methods of a model, which a subclass may write anew, as in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._core import settings
from .._core.user_tensors import hand_out, take_back
from ..utils.packing import unpack_x_y_sample_weight
from .compiled_model import CompiledModel
from .data.arrangement import arranged
from .data.batch import Batch
from .data.signature import by_key_or_name
from .step.step import Outcome, Step


class CompiledParts:
    """`model.compiled_loss` and `model.compiled_metrics`, as a user's `train_step` calls them.

    Args:
        model: The model.
        step: The step of the mode that runs.
    """

    def __init__(self, model: Any, step: Step) -> None:
        self.model, self.step = model, step

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Sequence[Any] | None = None
    ) -> Any:
        """Return the loss of targets and predictions, and take note of it.

        Args:
            y_true: The targets.
            y_pred: The predictions.
            sample_weight: A weight for each sample.
            regularization_losses: What is added, such as `self.losses`.
        """
        self.model._learn_outputs(self.step, y_pred)
        batch, outcome = as_outcome(self.model, None, y_true, y_pred, sample_weight)
        loss = self.step.loss_of_predictions(batch, outcome, take_back(list(regularization_losses or ())))
        self.step.averages.add_loss(loss.shown.detach(), loss.counts, loss.by_output)
        return hand_out(loss.minimised)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into the metrics.

        Args:
            y_true: The targets.
            y_pred: The predictions.
            sample_weight: A weight for each sample, for weighted metrics.
        """
        self.model._learn_outputs(self.step, y_pred)
        batch, outcome = as_outcome(self.model, None, y_true, y_pred, sample_weight)
        self.step.note_predictions(batch, outcome)

    def reset_state(self) -> None:
        """Start afresh."""
        self.step.averages.reset()

    @property
    def metrics(self) -> list[Any]:
        """The metric objects."""
        return [line.metric for line in self.step.averages.lines]


def as_outcome(model: Any, x: Any, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Batch, Outcome]:
    """Return a batch and predictions that user code holds, with the masks that these carry, as a step has them."""
    x, y, outputs, weight = take_back(x), take_back(y_true), take_back(y_pred), take_back(sample_weight)
    if isinstance(outputs, dict):
        heads = model._heads()
        leaves = by_key_or_name(outputs, [h.name for h in heads], [h.key or h.name for h in heads])
    else:
        leaves = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    masks = [getattr(leaf, "_keras_mask", None) for leaf in leaves]
    return arranged(model, x, y, weight), Outcome(leaves, masks)


class CustomSteps(CompiledModel):
    """The methods of a model that say what happens to a batch."""

    def _current_step(self) -> Step:
        return self.make_step("train" if settings.running_phase() else "test")

    def _learn_outputs(self, step: Step, y_pred: Any) -> None:
        """Let a model that nothing could build, as one without a `call`, have the outputs that its step computes."""
        if step.heads:
            return
        if not self.output_names:
            self._note_outputs(take_back(y_pred))
        step.know_outputs(self._heads())

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on a batch and return the logs; a subclass may write its own, with torch's gradients.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`.

        Example:
            >>> import torch, numpy as np, torchkeras_compat as keras
            >>> class Doubled(keras.Sequential):
            ...     def train_step(self, data):
            ...         x, y = data
            ...         loss = 2 * self.compiled_loss(y, self(x, training=True))
            ...         self.optimizer.minimize(loss, self.trainable_variables)
            ...         return {'loss': loss}
            >>> model = Doubled([keras.layers.Dense(1, input_dim=2, kernel_initializer='zeros')])
            >>> model.compile('sgd', 'mse')
            >>> model.fit(np.ones((4, 2)), np.ones(4), verbose=0).history
            {'loss': [2.0]}
        """
        x, y, weight = unpack_x_y_sample_weight(take_back(data))
        with settings.running(True):  # layers inside the model follow this step, not the user's around it
            step = self._current_step()
            if not step.stands():  # called by hand, outside `fit`
                step.prepare()
            step.train_as_compiled(arranged(self, x, y, weight))
            return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate a batch and return the logs; a subclass may write its own.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`.
        """
        x, y, weight = unpack_x_y_sample_weight(take_back(data))
        with settings.running(False):
            self._current_step().test_as_compiled(arranged(self, x, y, weight))
            return self.get_metrics_result()

    def predict_step(self, data: Any) -> Any:
        """Return the predictions for a batch; a subclass may write its own.

        Args:
            data: `x`, or a tuple that begins with it.
        """
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        """Return the loss of a batch, with what layers add; a subclass may write its own.

        Args:
            x: The inputs.
            y: The targets.
            y_pred: The predictions.
            sample_weight: A weight for each sample.
        """
        step = self._current_step()
        self._learn_outputs(step, y_pred)
        batch, outcome = as_outcome(self, x, y, y_pred, sample_weight)
        loss = step.loss_of_predictions(batch, outcome, [*step.penalties(), *self._take_losses()])
        step.averages.add_loss(loss.shown.detach(), loss.counts, loss.by_output)
        return hand_out(loss.minimised)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> dict[str, Any]:
        """Take a batch into the metrics and return them by name; a subclass may write its own.

        Args:
            x: The inputs.
            y: The targets.
            y_pred: The predictions.
            sample_weight: A weight for each sample.
        """
        step = self._current_step()
        self._learn_outputs(step, y_pred)
        if y is not None:
            step.note_predictions(*as_outcome(self, x, y, y_pred, sample_weight))
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the loss and the metrics so far by name."""
        step = self._current_step()
        return {**step.averages.so_far(), **step.overrides.own_metrics()}

    @property
    def compiled_loss(self) -> CompiledParts | None:
        """What computes the compiled loss of targets and predictions; `None` before `compile`."""
        return None if self.optimizer is None else CompiledParts(self, self._current_step())

    @property
    def compiled_metrics(self) -> CompiledParts | None:
        """What takes targets and predictions into the compiled metrics; `None` before `compile`."""
        return None if self.optimizer is None else CompiledParts(self, self._current_step())
