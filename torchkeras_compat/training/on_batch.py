"""`train_on_batch`, `test_on_batch` and `predict_on_batch`: one batch, without an epoch around it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from .._core import settings
from .._core.allocator import keep_freed_memory
from .._core.border import entrance, known_by_name
from .._core.tree import Tree
from .._core.user_tensors import hand_out, take_back
from .compiled_model import CompiledModel
from .data.batch import Batch
from .data.convert import predictions
from .data.feeding import Feeder
from .step.overrides import lists_as_tuples, packed_inputs, written_steps
from .step.step import Step


class BatchCalls(CompiledModel):
    """The calls for one batch."""

    predict_step: Callable[[Any], Any]

    def _predict_tensor(self, x: Tree) -> Tree:
        keep_freed_memory()
        with settings.running(False):
            output = self._run(x, None, False)[0]
        self._forget_losses()
        return output

    def _predict_by_step(self, x: Tree, pack: Callable[[Tree], Any] = packed_inputs) -> Tree:
        """Return what a user's `predict_step` makes of a batch.

        Args:
            x: The inputs.
            pack: Makes of them what the step gets.
        """
        with settings.running(False):
            output = take_back(self.predict_step(hand_out(pack(x))))
        self._forget_losses()
        return output

    @property
    def _predict_feeder(self) -> Feeder:
        """What makes the data of one call that predicts."""
        return Feeder(self, whole="predict_step" in written_steps(self))

    @known_by_name
    def predict_on_batch(self, x: Any) -> Tree:
        """Return the predictions for one batch.

        Args:
            x: Inputs.
        """
        alone = functools.partial(self._predict_by_step, pack=lambda inputs: (lists_as_tuples(inputs),))
        return self._predict_batch(self._predict_feeder, x, alone)

    def _predict_batch(self, feeder: Feeder, x: Any, by_step: Callable[[Tree], Tree] | None = None) -> Tree:
        with self._unchanged_on_error():
            batch = feeder.one_batch("predict_on_batch", x)
        whole, traits = feeder.signature.whole, self._traits
        forward = (by_step or self._predict_by_step) if whole else self._predict_tensor
        may_share = whole or traits.runs_user_code
        if traits.stateful:
            with self._lock, torch.no_grad():
                return predictions(forward(batch.x), batch.x, may_share)
        with torch.inference_mode():
            return predictions(forward(batch.x), batch.x, may_share)

    @entrance
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch and return its loss, or a list of the loss and the metrics.

        Args:
            x: Inputs.
            y: Targets.
            sample_weight: A weight for each row.
            class_weight: Weights by class.
            reset_metrics: Whether the numbers are of this batch alone.
            return_dict: Whether to return a dictionary by name.
        """
        self._compiled("train_on_batch")
        with self._lock:
            with self._unchanged_on_error():
                batch = self._feeder.one_batch("train_on_batch", x, y, sample_weight, class_weight)
            step = self.make_step("train")
            step.prepare()
            return self._run_one(step, "train", batch, reset_metrics, return_dict)

    @entrance
    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """Evaluate one batch and return its loss, or a list of the loss and the metrics.

        Args:
            x: Inputs.
            y: Targets.
            sample_weight: A weight for each row.
            reset_metrics: Whether the numbers are of this batch alone.
            return_dict: Whether to return a dictionary by name.
        """
        self._compiled("test_on_batch")
        with self._lock:
            with self._unchanged_on_error():
                batch = self._feeder.one_batch("test_on_batch", x, y, sample_weight)
            return self._run_one(self.make_step("test"), "test", batch, reset_metrics, return_dict)

    def _run_one(self, step: Step, mode: str, batch: Batch, reset_metrics: bool, return_dict: bool) -> Any:
        """Return the numbers of one batch that was trained on (`'train'`) or evaluated (`'test'`)."""
        if reset_metrics:
            step.averages.reset()
            self._reset_own_metrics()
        with settings.running(mode == "train"):
            getattr(step, mode)(batch)
        return self._outcome(step.averages.results(), return_dict)

    @known_by_name
    def reset_metrics(self) -> None:
        """Forget what metrics have accumulated."""
        for step in self._steps.values():
            step.averages.reset()
        self._reset_own_metrics()
