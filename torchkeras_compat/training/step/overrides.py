"""The parts of a step that a user's model writes anew, such as `train_step`, and how they are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..._core import settings
from ..._core.config import cached_by_class
from ..._core.errors import show
from ..._core.ownership import is_ours
from ..._core.user_tensors import call_user, hand_out, take_back
from ...utils.packing import pack_x_y_sample_weight
from ..data.batch import Batch

# What TensorFlow calls to make its graphs: nothing here would ever call an override.
WITHOUT_MEANING = {
    "make_train_function": "train_step(self, data)",
    "make_test_function": "test_step(self, data)",
    "make_predict_function": "predict_step(self, data)",
    "_make_train_function": "train_step(self, data)",
    "_make_test_function": "test_step(self, data)",
    "_make_predict_function": "predict_step(self, data)",
    "make_train_tf_function": "train_step(self, data)",
}


TRAINING_STEPS = frozenset(("train_step", "test_step", "compute_loss", "compute_metrics"))
_STEPS = {*TRAINING_STEPS, "predict_step", *WITHOUT_MEANING}


@cached_by_class
def _in_class(cls: type) -> frozenset[str]:
    """Return which of the parts a user's class writes anew."""
    methods = {name: getattr(cls, name, None) for name in _STEPS}
    return frozenset(name for name, method in methods.items() if method is not None and not is_ours(method))


def written_steps(model: Any) -> frozenset[str]:
    """Return which parts of a step a model writes anew, in its class or on the object.

    Args:
        model: The model.

    Raises:
        NotImplementedError: One that nothing could call, naming what to write instead.
    """
    own = _in_class(type(model))
    if not vars(model).keys().isdisjoint(_STEPS):
        own = own.union(_STEPS & vars(model).keys())
    for name in own & WITHOUT_MEANING.keys():
        raise NotImplementedError(
            f"{type(model).__name__}.{name}: steps are no TensorFlow functions here, and nothing would call it; "
            f"override {WITHOUT_MEANING[name]} instead."
        )
    return own


class Overrides:
    """Which parts of a step a model's class writes anew, and how they are called.

    Args:
        model: The model.

    Raises:
        NotImplementedError: An override that nothing could call, naming what to write instead.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.written = written = written_steps(model)
        self.train_step = "train_step" in written
        self.test_step = "test_step" in written
        self.predict_step = "predict_step" in written
        self.compute_loss = "compute_loss" in written
        self.compute_metrics = "compute_metrics" in written
        # Steps ask for these two each time: whether one has a part in them, and whether the model may hold metrics.
        self.present = not written.isdisjoint(TRAINING_STEPS)
        self._holders = model._metric_holders()
        self.may_hold_metrics = bool(self._holders)

    @property
    def look_at_predictions(self) -> bool:
        """Whether one of them gets what the model gives, so that no loss may be taken from logits alone."""
        return self.compute_loss or self.compute_metrics

    # --- calling them --------------------------------------------------------------------------------------------

    def train(self, batch: Batch) -> dict[str, Any]:
        """Call the user's `train_step` and return the logs that it gives.

        Parameters begin without a gradient, as after the optimizer's `zero_grad()`: Keras knows no left-overs.
        """
        for parameter in nn.Module.parameters(self.model):
            parameter.grad = None
        with torch.enable_grad():
            return self._step("train_step", batch, True)

    def test(self, batch: Batch) -> dict[str, Any]:
        """Call the user's `test_step` and return the logs that it gives."""
        return self._step("test_step", batch, False)

    def predict(self, data: Any) -> Any:
        """Return what the user's `predict_step` makes of a batch."""
        with settings.running(False, calls_follow=False):
            return take_back(self.model.predict_step(hand_out(data)))

    def _step(self, name: str, batch: Batch, training: bool) -> dict[str, Any]:
        self.model._forget_losses()
        with settings.running(training, calls_follow=False):
            logs = take_back(getattr(self.model, name)(hand_out(packed(batch))))
        self.model._forget_losses()
        if not isinstance(logs, dict):
            raise TypeError(
                f"{type(self.model).__name__}.{name} must return a dictionary of logs, {{'loss': loss}}; got "
                f"{show(logs)}."
            )
        return {key: _number(value) for key, value in logs.items()}

    def loss(self, batch: Batch, outputs: Sequence[Tensor]) -> Tensor:
        """Return what the user's `compute_loss` makes of a batch."""
        y_pred = self.model._arranged(list(outputs))
        x, y, weight = batch.whole or batch[:3]
        with self._apart():
            value = call_user(self.model.compute_loss, x, y, y_pred, weight)
        if not isinstance(value, Tensor) or value.dim():
            raise TypeError(f"{type(self.model).__name__}.compute_loss must return one number; got {show(value)}.")
        return value

    @staticmethod
    def _apart() -> settings.running:
        """Return the block for code of a step in which layers follow no mode but the one that a call says."""
        return settings.running(settings.running_phase(), calls_follow=False)

    def own_metrics(self) -> dict[str, Any]:
        """Return what the metrics tell that the model and its layers hold themselves."""
        return {metric.name: metric.result() for metric in self.model._own_metrics(self._holders)}

    def metrics(self, batch: Batch, outputs: Sequence[Tensor]) -> dict[str, Any]:
        """Return the logs that the user's `compute_metrics` gives for a batch."""
        y_pred = self.model._arranged(list(outputs))
        x, y, weight = batch.whole or batch[:3]
        with self._apart():
            logs = call_user(self.model.compute_metrics, x, y, y_pred, weight)
        return {key: _number(value) for key, value in logs.items()}


def packed(batch: Batch) -> Any:
    """Return a batch as Keras hands it to `train_step`: `(x, y, sample_weight)` without what there is not."""
    return pack_x_y_sample_weight(*map(lists_as_tuples, batch[:3]))


def packed_inputs(x: Any) -> Any:
    """Return inputs as Keras hands them to `predict_step`."""
    return pack_x_y_sample_weight(lists_as_tuples(x))


def lists_as_tuples(tree: Any) -> Any:
    """Return a tree with tuples for lists, as TensorFlow's data sets make them."""
    if isinstance(tree, dict):
        return {key: lists_as_tuples(item) for key, item in tree.items()}
    if type(tree) in (list, tuple):
        return tuple(map(lists_as_tuples, tree))
    return tree


def _number(value: Any) -> Any:
    """Return a value of a log without its history; metric objects are asked for theirs."""
    if hasattr(value, "result") and callable(value.result):
        value = value.result()
    value = take_back(value)
    return value.detach() if isinstance(value, Tensor) else value
