"""One step of training, evaluation or prediction: the one definition that every way of running it shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from ... import activations
from ..._core.shapes import Shape
from ..._core.symbolic import run_values, was_asked
from ..._core.user_tensors import give_away, without_history
from ..._core.weights import Weight
from ...backend.crossentropy import Logits
from ...layers.base import Layer, Traits
from ...optimizers.slots import Gradients
from ..averages import Totals
from ..compile_config import Objective, Recipe
from ..data.arrays import Batch
from ..executors.inductor import CompiledStep
from .choose_update import choose_update
from .handwritten import Chain, Watchers, chain_of
from .parameter_groups import FlatGroup
from .update import ClosureUpdate, KerasUpdate, TorchUpdate, Update


class Trained(Protocol):
    """What a step needs of a model."""

    stateful: bool
    layers: list[Layer]
    _traits: Traits

    def _samples_at_once(self, with_masks: bool, sample: Any = None) -> int:
        """Return how many samples may run together in inference."""

    def _run(self, x: Any, mask: Tensor | None, training: bool) -> tuple[Any, Tensor | None]:
        """Return predictions and their mask, with the model's own hooks called."""

    def _ends(self) -> list[Layer]:
        """Return whose hooks see the model's output."""

    def _run_to_logits(self, x: Any, mask: Tensor | None, training: bool) -> tuple[Any, Tensor | None]:
        """Return what the last activation is applied to, and its mask."""

    def _final_activations(self) -> list[Callable[[Tensor], Tensor] | None]:
        """Return the activation functions the model ends in, `None` when hooks or layers stand behind one."""

    def _adds_penalties(self) -> bool:
        """Tell whether a layer adds a penalty of its output to the loss."""

    def _trained_table(self) -> list[Weight]:
        """Return the weights to train."""

    def _take_losses(self) -> list[Tensor]:
        """Return the side losses of the last run."""

    def _all_standing_losses(self) -> list[Any]:
        """Return what is added to the loss of each step."""


@contextmanager
def thawed(parameters: Sequence[Tensor]) -> Iterator[None]:
    """Let autograd find gradients for frozen parameters inside the block."""
    for parameter in parameters:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(False)


class BatchLoss(NamedTuple):
    """The loss of one batch.

    Attributes:
        minimised: What training differentiates, 0-d.
        shown: What logs tell, 0-d: the same, but for `Loss(reduction='none')`, where it is the mean of the values.
        counts: What `shown` counts for in the mean of an epoch: the rows, and under `'none'` rows times values, as in
            Keras 2.15, whose mean takes each value for a row.
    """

    minimised: Tensor
    shown: Tensor
    counts: int


class Step:
    """What happens to a batch.

    Args:
        model: The model.
        recipe: What `compile` was told.
        table: The weights to train, as they stood at `compile`.
        totals: Takes the losses and predictions.
    """

    def __init__(self, model: Trained, recipe: Recipe, table: Sequence[Weight], totals: Totals | None = None) -> None:
        self.model, self.recipe = model, recipe
        activation = model._final_activations()[0]
        self._ends = model._ends()
        self._ends_hooked = self._are_ends_hooked()
        self.objective = Objective(recipe.loss, activation, recipe.rules, recipe.scale) if recipe.loss else None
        self.from_logits = self.objective is not None and self.objective.fused is not None
        self.finish = activation if self.from_logits else None
        keeps = self.objective is not None and self.objective.of_user and recipe.rules.fused_losses
        self.kept_activation = (
            activation if keeps and activation in (activations.softmax, activations.sigmoid) else None
        )
        self.chain: Chain | None = None
        self._defers_test_loss = False
        self._has_standing_losses = bool(model._all_standing_losses())
        self._written: Gradients = []
        self._frozen: list[Tensor] = []
        self.totals = totals if totals is not None else Totals([])
        self.penalised = [w for w in table if w.regularizer is not None]
        self.table = table
        self.update = Update(recipe.optimizer, ())
        self._rebuilt = -1
        self._watchers: Watchers | None = None
        self._has_hooks = False
        self.compiled = CompiledStep(self) if recipe.jit_compile else None

    @property
    def totals(self) -> Totals:
        """What takes the losses and predictions."""
        return self._totals

    @totals.setter
    def totals(self, totals: Totals) -> None:
        if getattr(self, "_totals", None) is not totals:
            # Whether a metric asks for the output of a layer, which only an eager step keeps: the first step shows.
            self._metrics_ask = None if totals.of_user else False
        self._totals = totals
        # A user's loss or metric may ask for `layer.output`.
        of_user = self.objective is not None and self.objective.of_user
        self._runs_user_code = totals.of_user or of_user or self._has_standing_losses
        totals.loss_later = self._loss_of_outputs if self.chain is not None or self._defers_test_loss else None

    def _are_ends_hooked(self) -> bool:
        return any(module._is_hooked() for module in self._ends)

    def outdated(self) -> bool:
        """Tell whether hooks came or went that see the output: with them no activation is fused with the loss."""
        return self._are_ends_hooked() != self._ends_hooked

    def prepare(self) -> None:
        """Make ready for training: bind the optimizer, or bind it again where parameters or slots have moved."""
        standing = bool(self.model._all_standing_losses())
        stands = self._rebuilt >= 0 and self.update.valid() and standing == self._has_standing_losses
        self._has_standing_losses = standing
        if not stands:
            self._rebuilt += 1
            self.update = choose_update(self.recipe.optimizer, self.table, flat_allowed=self._rebuilt < 3)
            if isinstance(self.update, TorchUpdate) and not self._rebuilt:
                self.update.warn_of_other_parameters()
        if not stands or self._watchers is None:
            self._watchers = Watchers(self.model)
        looked_on = self._watchers.present()
        if not stands or self._has_hooks != looked_on:
            self._has_hooks = looked_on
            self._write_out()
        # Weights that were frozen after `compile` train on, as in Keras: a discriminator inside another model.
        self._frozen = [p for p in self.update.params if not p.requires_grad]
        if self.compiled is not None:
            self.compiled.prepare(not stands)

    def _write_out(self) -> None:
        """Take the written-out derivatives of a plain chain of layers where they exist and nobody looks on."""
        update, objective, self.chain = self.update, self.objective, None
        if objective is not None and isinstance(update, KerasUpdate) and update.dense is not None:
            plain = not update.embeddings and not self._has_hooks and not self.recipe.rules.normalise_by_nonzero
            plain = plain and not self._has_standing_losses
            small = isinstance(update.dense, FlatGroup)
            self.chain = chain_of(self.model.layers, objective, update.dense.params, small) if plain else None
            if self.chain is not None:
                places, self._written = update.dense.places()
                self.chain.write_to(places)
        self.totals = self._totals

    def samples_at_once(self, sample: Shape | None = None) -> int:
        """Return how many rows may be evaluated together, whatever the batch size; 0 where batches must stay."""
        return self.model._samples_at_once(False, sample) if self._additive() else 0

    def _additive(self) -> bool:
        """Tell whether loss and metrics of several batches can be taken from all their rows at once."""
        objective = self.objective
        plain = objective is None or (objective.additive and not self.recipe.rules.normalise_by_nonzero)
        return not self._has_standing_losses and plain and all(line.row_wise for line in self.totals.lines)

    def prepare_test(self) -> None:
        """Make ready for evaluation: the loss is computed of many batches at once where nothing else adds to it."""
        traits = self.model._traits
        alone = traits.row_wise and not traits.stateful and not self.model._adds_penalties()
        self._has_standing_losses = bool(self.model._all_standing_losses())
        later = self._additive() and alone and not traits.makes_mask and not self.penalised
        self._defers_test_loss = later and self.objective is not None
        self.totals = self._totals

    def _loss_of_outputs(self, y: Tensor, output: Tensor, weight: Tensor | None) -> Tensor:
        objective = self.objective
        if objective is None:
            raise ValueError("fit: the model has no loss; give compile(loss=…).")
        return objective(y, output, output if self.from_logits else None, None, weight)

    def forward(self, x: Tensor, training: bool) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Return predictions or logits (the other is `None`) and the mask."""
        if self.from_logits:
            logits, mask = self.model._run_to_logits(x, None, training)
            return None, logits, mask
        if self.kept_activation is not None:
            return self._predictions_with_logits(self.kept_activation, x, training)
        y_pred, mask = self.model._run(x, None, training)
        if self.objective is not None and self.objective.of_user:
            give_away(y_pred)
        return y_pred, None, mask

    def _predictions_with_logits(
        self, activation: Callable[[Tensor], Tensor], x: Tensor, training: bool
    ) -> tuple[Tensor, None, Tensor | None]:
        """Return predictions that know their logits, for a user's loss that calls a cross-entropy, and the mask."""
        logits, mask = self.model._run_to_logits(x, None, training)
        y_pred = activation(logits)
        Logits(logits, activation.__name__, self.recipe.rules.logits_of_any_activation).keep_with(y_pred)
        give_away(y_pred)
        return y_pred, None, mask

    def loss(self, batch: Batch, y_pred: Tensor | None, logits: Tensor | None, mask: Tensor | None) -> BatchLoss:
        """Return the loss of a batch: the objective, the penalties of weights and what layers added."""
        terms: list[Tensor] = []
        if self.objective is not None and batch.y is not None:
            terms = [self.objective(batch.y, y_pred, logits, mask, batch.weight)]
        values = terms.pop() if terms and terms[0].dim() else None
        terms += [penalty for w in self.penalised if (penalty := w.penalty()) is not None]
        terms += self.model._take_losses()
        if values is not None:
            return BatchLoss(
                _total([values.sum(), *terms]), _total([values.mean(), *terms]), batch.size * values.numel()
            )
        if not terms:
            raise ValueError("fit: the model has no loss; give compile(loss=…), and targets y.")
        total = _total(terms)
        return BatchLoss(total, total, batch.size)

    def train(self, batch: Batch) -> None:
        """Train on a batch."""
        if self.update.outdated:  # a callback has set momentum, clipping or the like between two steps
            self.prepare()
        if self._frozen:
            with thawed(self._frozen), run_values():
                self._train(batch)
        elif self._runs_user_code:
            with run_values():
                self._train(batch)
        else:
            self._train(batch)

    def _train(self, batch: Batch) -> None:
        if self._metrics_ask is False:
            if self.compiled is not None and self.compiled.train(batch):
                return
            if self.chain is not None and batch.y is not None:
                self._train_chain(self.chain, batch, batch.y)
                return
        if isinstance(self.update, ClosureUpdate):
            self._train_by_closure(self.update, batch)
            return
        with self.update.recording():
            y_pred, logits, mask = self.forward(batch.x, True)
        loss = self.loss(batch, y_pred, logits, mask)
        self.update(loss.minimised)
        was_asked()
        self.take(batch, loss if self._totals.loss_later is None else None, y_pred, logits, mask)
        if self._metrics_ask is None:
            self._metrics_ask = was_asked()

    def _train_by_closure(self, update: ClosureUpdate, batch: Batch) -> None:
        first: list[Any] = []

        def loss_again() -> Tensor:
            y_pred, logits, mask = self.forward(batch.x, True)
            loss = self.loss(batch, y_pred, logits, mask)
            if not first:  # the numbers of a batch are those before its step
                first.extend((loss, y_pred, logits, mask))
            return loss.minimised

        update.step_by(loss_again)
        self.take(batch, *first)

    @torch.no_grad()
    def _train_chain(self, chain: Chain, batch: Batch, y: Tensor) -> None:
        output = chain(batch.x, y, batch.weight)
        self.update.apply(self._written)
        self.totals.add(None, batch.size, y, output, None, batch.weight)

    @torch.no_grad()
    def test(self, batch: Batch) -> None:
        """Evaluate a batch."""
        if self._runs_user_code:
            with run_values():
                self._test(batch)
        else:
            self._test(batch)

    def _test(self, batch: Batch) -> None:
        y_pred, logits, mask = self.forward(batch.x, False)
        wanted = self.objective is not None and not self._defers_test_loss
        loss = self.loss(batch, y_pred, logits, mask) if wanted else None
        self.take(batch, loss, y_pred, logits, mask)

    def take(
        self, batch: Batch, loss: BatchLoss | None, y_pred: Tensor | None, logits: Tensor | None, mask: Tensor | None
    ) -> None:
        """Hand the outcome of a batch to the totals."""
        output = y_pred if logits is None else logits
        if output is not None:
            shown, counts = (None, batch.size) if loss is None else (loss.shown.detach(), loss.counts)
            detached = without_history(output)
            if self.kept_activation is not None and self._totals.of_user:
                output.__dict__["_keras_logits"].detached().keep_with(detached)
            self.totals.add(shown, counts, batch.y, detached, mask, batch.weight)


def _total(terms: Sequence[Tensor]) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
