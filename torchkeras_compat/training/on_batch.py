"""`train_on_batch`, `test_on_batch` and `predict_on_batch`: one batch, without an epoch around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .._core import settings
from .._core.allocator import keep_freed_memory
from .._core.border import entrance, known_by_name
from .._core.tree import Tree
from .compiled_model import CompiledModel
from .data.batch import Batch
from .data.convert import predictions
from .data.feeding import Feeder
from .executors.choose_executor import choose_forward
from .out_of_memory import MemoryGuard
from .step.forward import ForwardStep
from .step.overrides import lists_as_tuples, packed_inputs
from .step.step import Step


class BatchCalls(CompiledModel):
    """The calls for one batch."""

    def _make_forward_step(self) -> ForwardStep:
        """Return what runs the batches of `predict`; a model needs no `compile` for it."""
        self._forget_losses()
        if self._forward_step is None or self._forward_step.outdated():
            keep_freed_memory()
            self._forward_step = step = ForwardStep(self)
            step.graphs = choose_forward(step, self._compile_config)
        return self._forward_step

    @known_by_name
    def predict_on_batch(self, x: Any) -> Tree:
        """Return the predictions for one batch.

        Args:
            x: Inputs.
        """
        step = self._make_forward_step()
        feeder = Feeder(self, whole=step.overrides.predict_step)
        return self._predict_batch(step, feeder, x, lambda inputs: (lists_as_tuples(inputs),))

    def _predict_batch(
        self, step: ForwardStep, feeder: Feeder, x: Any, pack: Callable[[Tree], Any] = packed_inputs
    ) -> Tree:
        with self._unchanged_on_error():
            batch = feeder.one_batch("predict_on_batch", x)
        traits = self._traits
        may_share = traits.runs_user_code or step.overrides.predict_step
        if traits.stateful:
            with self._lock, torch.no_grad():
                guard = MemoryGuard("predict", self)
                guard.keep()
                return self._predictions(step, batch, pack, may_share, guard)
        with torch.inference_mode():
            return self._predictions(step, batch, pack, may_share)

    def _predictions(
        self,
        step: ForwardStep,
        batch: Batch,
        pack: Callable[[Tree], Any],
        may_share: bool,
        guard: MemoryGuard | None = None,
    ) -> Tree:
        try:
            return predictions(step.predict(batch.x, pack), batch.x, may_share)
        except RuntimeError as error:
            (guard or MemoryGuard("predict", self)).explain(error, batch.size)

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
        if step.guard is None:
            step.guard = MemoryGuard(f"{mode}_on_batch", self, step if mode == "train" else None)
        guard: MemoryGuard = step.guard
        if guard.keeps:
            guard.keep()
        try:
            with settings.running(mode == "train"):
                getattr(step, mode)(batch)
        except RuntimeError as error:
            guard.explain(error, batch.size)
        return self._outcome(step.averages.results(), return_dict)

    @known_by_name
    def reset_metrics(self) -> None:
        """Forget what metrics have accumulated."""
        for step in self._steps.values():
            step.averages.reset()
        self._reset_own_metrics()
