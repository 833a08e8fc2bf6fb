"""One step of training or evaluation: the one definition that every way of running it shares."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from ... import activations
from ..._core.graph_capture import tracing
from ..._core.precision import widened
from ..._core.runs import run_values, was_asked
from ..._core.tree import map_tree
from ..._core.user_tensors import give_away, without_history
from ..._core.weights import Weight
from ...backend.crossentropy import Logits
from ...backend.graph import NeedsGradients
from ...layers.base.side_losses import PENDING
from ...optimizers.slots import Gradients, Scalars
from ..averages import Averages, HeadAverages
from ..compile_config import CompileConfig
from ..data.arrangement import arranged
from ..data.batch import Batch
from ..heads import Head
from ..trained_model import TrainedModel
from .by_data import differentiable, differentiable_copy, unfollowed
from .choose_handwritten import Watchers, chain_of
from .choose_update import choose_update
from .forward import ForwardStep
from .handwritten import Chain
from .objective import Objective
from .parameter_groups import FlatGroup
from .update import ClosureUpdate, KerasUpdate, TorchUpdate, Update

_NO_LOSS = "fit: the model has no loss; give compile(loss=…), and targets y."


class Executor(Protocol):
    """Runs training steps in another way than as they stand; `executors/` has those that there are."""

    def prepare(self, rebuilt: bool) -> None:
        """Make ready for training.

        Args:
            rebuilt: Whether the update was made anew, so that nothing that was kept holds.
        """

    def train(self, batch: Batch) -> bool:
        """Train on a batch, or tell that it has to be done as the step stands."""

    def held_bytes(self) -> int:
        """Return how much memory its graphs hold beside the model and the optimizer."""


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


class Outcome(NamedTuple):
    """What a model made of a batch: its outputs, or the logits where a loss is taken from them, and their masks."""

    outputs: list[Tensor]
    masks: list[Tensor | None]


class BatchLoss(NamedTuple):
    """The loss of one batch.

    Attributes:
        minimised: What training differentiates, 0-d.
        shown: What logs tell, 0-d: the same, but for `Loss(reduction='none')`, where it is the mean of the values.
        counts: What `shown` counts for in the mean of an epoch: the samples, and under `'none'` samples times values,
            as in Keras 2.15, whose mean takes each value for a sample.
        by_output: The losses of several outputs.
    """

    minimised: Tensor
    shown: Tensor
    counts: int
    by_output: Sequence[Tensor | None] = ()


class Recorded(NamedTuple):
    """What a recorded step gives beside new weights and sums.

    Attributes:
        outputs: The outputs of the model.
        masks: Their masks.
        last: The loss of the batch, `None` where it is computed of the outputs when somebody asks.
        rest: What the update needs for the part of it that is not recorded.
    """

    outputs: list[Tensor]
    masks: list[Tensor | None]
    last: Tensor | None
    rest: list[Tensor]


class StepHead:
    """An output of the model in a step: its objective, and what its loss is taken from.

    Args:
        head: What `compile` was told about it.
        activation: The activation function that it ends in; `None` where something needs its result.
        needs_predictions: Whether a user's code looks at what the model gives.
    """

    def __init__(self, head: Head, activation: Callable[..., Any] | None, needs_predictions: bool) -> None:
        self.head = head
        fusable = None if needs_predictions else activation
        scale = None if head.is_annealed else head.weight
        self.objective = None if head.loss is None else Objective(head.loss, fusable, head.rules, scale)
        self.from_logits = self.objective is not None and self.objective.fused is not None
        self.finish = activation if self.from_logits else None
        # Predictions that know their logits, for a user's loss that calls a cross-entropy.
        keeps = needs_predictions or (self.objective is not None and self.objective.of_user)
        able = head.rules.fused_losses and activation in (activations.softmax, activations.sigmoid)
        self.kept_activation = activation if keeps and able else None

    def plain_objective(self) -> Objective:
        """Return the objective of predictions, where a user's step computed them."""
        return Objective(self.head.loss, None, self.head.rules, self.head.weight)

    def averages(self) -> HeadAverages:
        """Return what accumulates its metrics."""
        return HeadAverages(self.head.lines or [], self.finish, self.head.rules.scalar_metrics_by_rows)

    def loss(self, y: Tensor, output: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor | None:
        """Return the loss of a batch; `None` for an output that has none."""
        return None if self.objective is None else self.objective(y, output, mask, weight)

    def loss_of_outputs(self, y: Tensor, output: Tensor, weight: Tensor | None) -> Tensor:
        """Return the mean loss of kept outputs.

        Raises:
            ValueError: There is no loss.
        """
        value = self.loss(y, output, None, weight)
        if value is None:
            raise ValueError("fit: the model has no loss; give compile(loss=…).")
        return value

    def predictions(self, logits: Tensor) -> Tensor:
        """Return predictions that know the logits they come from."""
        activation: Any = self.kept_activation
        y_pred: Tensor = activation(logits)
        Logits(logits, activation.__name__, self.head.rules.logits_of_any_activation).keep_with(y_pred)
        return y_pred


class Step(ForwardStep):
    """What happens to a batch.

    Args:
        model: The model.
        config: What `compile` was told.
        heads: The outputs of the model.
        table: The weights to train, as they stood at `compile`.
    """

    def __init__(
        self, model: TrainedModel, config: CompileConfig, heads: Sequence[Head], table: Sequence[Weight]
    ) -> None:
        super().__init__(model)
        self.config = config
        self._hook_owners = model._ends()
        self._ends_hooked = self._are_ends_hooked()
        self._widens = model._computes_mixed()
        self._take_heads(heads, model._final_activations())
        self.chain: Chain | None = None
        self._defers_test_loss = False
        self._is_additive: bool | None = None  # as evaluation was prepared
        self._has_standing_losses = bool(model._all_standing_losses())
        self._written: Gradients = []
        self._frozen: list[Tensor] = []
        self.penalised = [w for w in model._weight_table() if w.regularizer is not None]  # frozen ones too, as in Keras
        self.table = table
        self.update = Update(config.optimizer, ())
        self._rebuilt = -1
        self._watchers: Watchers | None = None
        self._has_hooks = False
        self.follow_metrics()
        self.choose_executor: Callable[[Step, str], Executor | None] | None = None
        self.compiled: Executor | None = None
        self._device = ""
        self.guard: Any = None  # of the calls for one batch, against too little memory

    def _take_heads(self, heads: Sequence[Head], activations: Sequence[Callable[..., Any] | None]) -> None:
        needs_predictions = self.overrides.look_at_predictions
        self.heads = [StepHead(head, f, needs_predictions) for head, f in zip(heads, activations)]
        self.logits = frozenset(i for i, h in enumerate(self.heads) if h.from_logits or h.kept_activation is not None)
        self._kept = [i for i, head in enumerate(self.heads) if head.kept_activation is not None]
        self._of_user = any(h.objective is not None and h.objective.of_user for h in self.heads)

    def know_outputs(self, heads: Sequence[Head]) -> None:
        """Take the outputs that the first predictions of a user's step have made known.

        Args:
            heads: The outputs with their losses and metrics.
        """
        self._take_heads(heads, [None] * len(heads))
        self.follow_metrics()

    @property
    def objective(self) -> Objective | None:
        """The objective of the only output."""
        return self.heads[0].objective if len(self.heads) == 1 else None

    def follow_metrics(self) -> None:
        """Make the averages, once more where metrics have become known by the first targets."""
        several = len(self.heads) > 1
        names = [head.head.name if several and head.objective is not None else "" for head in self.heads]
        self.averages = Averages(
            [head.averages() for head in self.heads],
            names if several else (),
            lambda: [head.head.weight for head in self.heads],
            self.config,
        )
        # Whether a metric asks for the output of a layer, which only an eager step keeps: the first step shows.
        self._metrics_ask: bool | None = None if self.averages.of_user else False
        self._keep_outputs()

    def _keep_outputs(self) -> None:
        """Let the averages compute the loss of kept outputs where the step does not, batch by batch."""
        self._runs_user_code = self.averages.of_user or self._of_user or self._has_standing_losses
        later = self._loss_later = self.chain is not None or self._defers_test_loss
        for head, averages in zip(self.heads, self.averages.heads):
            averages.loss_later = head.loss_of_outputs if later and head.objective is not None else None

    def _are_ends_hooked(self) -> bool:
        return any(module._is_hooked() for module in self._hook_owners)

    def outdated(self) -> bool:
        """Tell whether a step of the model's own, or hooks that see its output, came or went since this was made.

        With such hooks no activation is fused with the loss.
        """
        return self._are_ends_hooked() != self._ends_hooked or super().outdated()

    def stands(self) -> bool:
        """Tell whether the optimizer is bound to the parameters as they are."""
        return self._rebuilt >= 0 and self.update.valid()

    def prepare(self) -> None:
        """Make ready for training: bind the optimizer, or bind it again where parameters or slots have moved."""
        standing = bool(self.model._all_standing_losses())
        stands = self.stands() and standing == self._has_standing_losses
        self._has_standing_losses = standing
        if not stands:
            self._rebuilt += 1
            reduce = self.update.reduce  # belongs to the devices, whichever update follows
            self.update = choose_update(self.config.optimizer, self.table, flat_allowed=self._rebuilt < 3)
            self.update.reduce = reduce
            if isinstance(self.update, TorchUpdate) and not self._rebuilt:
                self.update.warn_of_other_parameters()
        if not stands or self._watchers is None:
            self._watchers = Watchers(self.model)
        has_hooks = self._watchers.present()
        if not stands or self._has_hooks != has_hooks:
            self._has_hooks = has_hooks
            self._write_out()
        # Weights that were frozen after `compile` train on, as in Keras: a discriminator inside another model.
        self._frozen = [p for p in self.update.params if not p.requires_grad]
        device = self.update.params[0].device.type if self.update.params else "cpu"
        if device != self._device and self.choose_executor is not None:
            self._device, self.compiled = device, self.choose_executor(self, device)
        if self.compiled is not None:
            self.compiled.prepare(not stands)

    def _write_out(self) -> None:
        """Take the written-out derivatives of a plain chain of layers where they exist and nobody looks on."""
        update, objective, self.chain = self.update, self.objective, None
        layers = [] if self.model._is_users else self.model._chain
        if objective is not None and layers and isinstance(update, KerasUpdate) and update.dense is not None:
            alone = (
                update.takes_written_gradients
                and not update.embeddings
                and not self._has_hooks
                and not self.config.rules.normalise_by_nonzero
            )
            alone = alone and not self._has_standing_losses and not self.overrides.present and not self._kept
            small = isinstance(update.dense, FlatGroup)
            self.chain = chain_of(layers, objective, update.dense.params, small) if alone else None
            if self.chain is not None:
                places, self._written = update.dense.places()
                self.chain.write_to(places)
        self._keep_outputs()

    def uses_inputs_at_once(self) -> bool:
        """Tell whether training on a batch leaves nothing that shares memory with its inputs."""
        return self.chain is not None  # whose outputs are of products

    def samples_at_once(self, sample: Any = None) -> int:
        """Return how many samples may be evaluated together, whatever the batch size; 0 where batches must stay."""
        # The metrics of an output without an axis beside the batch are means over the batch as it is.
        additive = self._additive() if self._is_additive is None else self._is_additive
        return self.model._samples_at_once(False, sample) if additive and self.model._gives_features() else 0

    def _additive(self) -> bool:
        """Tell whether loss and metrics of several batches can be taken from all their samples at once."""
        objectives = [head.objective for head in self.heads if head.objective is not None]
        additive = all(objective.additive for objective in objectives)
        additive = additive and not (objectives and self.config.rules.normalise_by_nonzero)
        additive = additive and not self._has_standing_losses and not self.overrides.present
        return additive and all(line.row_wise for line in self.averages.lines)

    def prepare_test(self) -> None:
        """Make ready for evaluation: the loss is computed of many batches at once where nothing else adds to it."""
        traits = self.model._traits
        alone = traits.row_wise and not traits.stateful and not self.model._adds_penalties()
        self._has_standing_losses = bool(self.model._all_standing_losses())
        self._is_additive = self._additive()
        later = self._is_additive and alone and not traits.makes_mask and not self.penalised
        self._defers_test_loss = later and any(head.objective is not None for head in self.heads)
        self._keep_outputs()

    # --- the body ------------------------------------------------------------------------------------------------

    def forward(self, x: Any, training: bool) -> Outcome:
        """Return what the model makes of inputs."""
        outputs, masks = self.model._run_heads(x, None, training, self.logits)
        if self._widens:
            outputs = [widened(output) for output in outputs]
        for i in self._kept:
            outputs[i] = self.heads[i].predictions(outputs[i])
        if self._of_user:
            for output in outputs:
                give_away(output)
        return Outcome(outputs, masks)

    def loss(self, batch: Batch, outcome: Outcome) -> BatchLoss:
        """Return the loss of a batch: the objectives, the penalties of weights and what layers added."""
        if self.overrides.compute_loss:
            total = self.overrides.loss(batch, outcome.outputs)
            return BatchLoss(total, total, batch.size)
        return self._joined(batch, outcome, self._side_losses())

    def penalties(self) -> list[Tensor]:
        """Return the penalties of the weights that have some."""
        return [penalty for w in self.penalised if (penalty := w.penalty()) is not None]

    def _side_losses(self) -> list[Tensor]:
        """Return the penalties of weights, and what layers added."""
        terms = self.penalties() if self.penalised else []
        if PENDING.losses or self._has_standing_losses:
            terms += self.model._take_losses()
            PENDING.losses = False
        return terms

    def _joined(self, batch: Batch, outcome: Outcome, terms: list[Tensor]) -> BatchLoss:
        values: list[Tensor | None] = [
            None if y is None else head.loss(y, output, mask, weight)
            for head, y, output, mask, weight in zip(
                self.heads, self._each(batch.y), *outcome, self._each(batch.weight)
            )
        ]
        if len(values) == 1 and self.heads[0].head.weight == 1:
            return self._total(values[0], terms, batch.size)
        return self._weighted_total(values, terms, batch.size)

    def _total(self, value: Tensor | None, terms: list[Tensor], size: int) -> BatchLoss:
        """Return the loss of the only output and what is added to it."""
        if value is None and not terms:
            raise ValueError(_NO_LOSS)
        parts = terms if value is None else [value, *terms]
        if not any(map(Tensor.dim, parts)):
            total = _sum(parts)
            return BatchLoss(total, total, size if value is not None else self._counts_without_targets(size, terms))
        minimised, shown = _sum([part.sum() for part in parts]), _sum([part.mean() for part in parts])
        counts = size * value.numel() if value is not None else self._counts_without_targets(size, terms)
        return BatchLoss(minimised, shown, counts)

    def _counts_without_targets(self, size: int, terms: Sequence[Tensor]) -> int:
        """Return what a loss counts for that no targets have a part in: in tf.keras each value of a batch counts."""
        return size if self.config.rules.scalar_metrics_by_rows else max(term.numel() for term in terms)

    def _weighted_total(self, values: Sequence[Tensor | None], terms: list[Tensor], size: int) -> BatchLoss:
        """Return the weighted sum of the losses of the outputs, and what is added to it."""
        minimised: list[Tensor] = []
        shown: list[Tensor] = []
        by_output: list[Tensor | None] = []
        for head, value in zip(self.heads, values):
            by_output.append(None if value is None else value.detach().mean() if value.dim() else value.detach())
            if value is not None:
                weight = head.head.weight
                minimised.append((value.sum() if value.dim() else value) * weight)
                shown.append((value.mean() if value.dim() else value) * weight)
        if not minimised and not terms:
            raise ValueError(_NO_LOSS)
        total = _sum([*minimised, *(term.sum() for term in terms)])
        counts = size if minimised else self._counts_without_targets(size, terms)
        if not any(value is not None and value.dim() for value in (*values, *terms)):
            return BatchLoss(total, total, counts, by_output)
        if len(values) == 1 and values[0] is not None:
            counts = size * values[0].numel()
        return BatchLoss(
            total, _sum([*shown, *(term.mean() if term.dim() else term for term in terms)]), counts, by_output
        )

    def _each(self, tree: Any) -> Sequence[Any]:
        """Return targets or weights output by output."""
        if len(self.heads) == 1:
            return (tree,)
        return [None] * len(self.heads) if tree is None else tree

    def body(self, batch: Batch, update: Callable[[Tensor], Any]) -> tuple[Outcome, BatchLoss, Any]:
        """Make a training step by autograd: forward → loss → gradients → update.

        Args:
            batch: The batch.
            update: Makes gradients and new weights of the loss; what it returns is returned.
        """
        x = differentiable(batch.x) if self._of_user or self._has_standing_losses else batch.x
        with self.update.recording:
            outcome = self.forward(x, True)
        loss = self.loss(batch, outcome)
        return outcome, loss, update(loss.minimised)

    # --- training ------------------------------------------------------------------------------------------------

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
        if self.overrides.train_step:
            logs = self.overrides.train(batch)
            self.averages.tell(logs)  # which are others now where the first targets have told the metrics
        else:
            self.train_as_compiled(arranged(self.model, *batch[:3]) if self.overrides.present else batch)

    def train_as_compiled(self, batch: Batch) -> None:
        """Train on a batch as `compile` said, whatever a user's `train_step` does around it."""
        if self._metrics_ask is False and self.compiled is not None and self.compiled.train(batch):
            return
        if self._metrics_ask is False and self.chain is not None and batch.y is not None:
            self._train_chain(self.chain, batch, batch.y)
        elif isinstance(self.update, ClosureUpdate):
            self._train_by_closure(self.update, batch)
        else:
            outcome, loss, _ = self.body(batch, self.update)
            if self._metrics_ask is None:
                was_asked()  # by a loss: that is forgotten
            self.note(batch, outcome, None if self._loss_later else loss)
            if self._metrics_ask is None:
                self._metrics_ask = was_asked()

    def record(self, batch: Batch, scalars: Scalars) -> Recorded:
        """Make a training step that is being recorded: losses and metrics are added up in it.

        Args:
            batch: The batch.
            scalars: The numbers of the update, as tensors.
        """
        rest: list[Tensor] = []
        if self.chain is not None and batch.y is not None and (self.chain.traceable or not tracing()):
            with torch.no_grad():
                outputs: list[Tensor] = [self.chain(batch.x, batch.y, batch.weight)]
                masks: list[Tensor | None] = [None]
                self.update.apply(self._written, scalars)
                self.averages.add((batch.y,), outputs, masks, (batch.weight,))
        else:
            outcome, loss, rest = self.body(batch, functools.partial(self.update.captured, scalars=scalars))
            self.note(batch, outcome, None if self._loss_later else loss)
            outputs, masks = outcome
        self.averages.reduce()
        return Recorded(outputs, masks, self.averages.last_loss, rest)

    def note_recorded(self, batch: Batch, recorded: Recorded) -> None:
        """Take note of what a recorded step has not added up itself."""
        outputs, masks, last, _ = recorded
        self.averages.add_recorded(self._each(batch.y), outputs, masks, self._each(batch.weight), last)

    def _train_by_closure(self, update: ClosureUpdate, batch: Batch) -> None:
        first: list[Any] = []

        def loss_again() -> Tensor:
            outcome = self.forward(batch.x, True)
            loss = self.loss(batch, outcome)
            if not first:  # the numbers of a batch are those before its step
                first.extend((outcome, loss))
            return loss.minimised

        update.step_by(loss_again)
        self.note(batch, *first)

    @torch.no_grad()
    def _train_chain(self, chain: Chain, batch: Batch, y: Tensor) -> None:
        output = chain(batch.x, y, batch.weight)
        self.update.apply(self._written)
        self.averages.add((y,), (output,), (None,), (batch.weight,))

    # --- evaluation ----------------------------------------------------------------------------------------------

    @torch.no_grad()
    def test(self, batch: Batch) -> None:
        """Evaluate a batch."""
        if self._runs_user_code:
            with run_values():
                self._test(batch)
        else:
            self._test(batch)

    def _test(self, batch: Batch) -> None:
        if self.overrides.test_step:
            logs = self.overrides.test(batch)
            self.averages.tell(logs)
        else:
            self.test_as_compiled(arranged(self.model, *batch[:3]) if self.overrides.present else batch)

    def test_as_compiled(self, batch: Batch) -> None:
        """Evaluate a batch as `compile` said, whatever a user's `test_step` does around it."""
        outcome = self.forward(batch.x, False)
        try:
            loss = self._test_loss(batch, outcome)
        except NeedsGradients:
            if self.model._traits.stateful:
                raise
            # Nothing changes in inference that a second run would meet.
            with torch.inference_mode(False), torch.enable_grad():
                again = differentiable_copy(batch)
                outcome = self.forward(again.x, False)
                loss = self._test_loss(again, outcome)
            outcome, loss = map_tree(unfollowed, (outcome, loss))
        self.note(batch, outcome, loss)

    def _test_loss(self, batch: Batch, outcome: Outcome) -> BatchLoss | None:
        if self.overrides.compute_loss:
            return self.loss(batch, outcome)
        if self._defers_test_loss:
            return None
        terms = self._side_losses()
        if terms or any(head.objective is not None for head in self.heads):
            return self._joined(batch, outcome, terms)
        return None

    # --- for what a user's step holds ----------------------------------------------------------------------------

    def loss_of_predictions(self, batch: Batch, outcome: Outcome, terms: list[Tensor]) -> BatchLoss:
        """Return the loss of targets and predictions that a user's step computed.

        Args:
            batch: The targets and weights.
            outcome: The predictions.
            terms: What is added.
        """
        values = [
            None if y is None or head.head.loss is None else head.plain_objective()(y, output, mask, weight)
            for head, y, output, mask, weight in zip(
                self.heads, self._each(batch.y), *outcome, self._each(batch.weight)
            )
        ]
        if len(values) == 1 and self.heads[0].head.weight == 1:
            return self._total(values[0], terms, batch.size)
        return self._weighted_total(values, terms, batch.size)

    def note_predictions(self, batch: Batch, outcome: Outcome) -> None:
        """Take predictions that a user's step computed into the metrics."""
        ys, weights = self._each(batch.y), self._each(batch.weight)
        for averages, y, output, mask, weight in zip(self.averages.heads, ys, *outcome, weights):
            if y is not None:
                averages.add_predictions(y, without_history(output), mask, weight)

    def note(self, batch: Batch, outcome: Outcome, loss: BatchLoss | None) -> None:
        """Hand the outcome of a batch to the averages."""
        averages, ys, weights = self.averages, self._each(batch.y), self._each(batch.weight)
        outputs = [o.detach() if type(o) is Tensor else without_history(o) for o in outcome.outputs]
        if loss is not None and not self.overrides.compute_loss:  # which takes note of it itself
            averages.add_loss(loss.shown.detach(), loss.counts, loss.by_output)
        if self._kept and averages.of_user:
            for i in self._kept:
                logits: Logits | None = outcome.outputs[i].__dict__.get("_keras_logits")  # none come out of a graph
                if logits is not None:
                    logits.detached().keep_with(outputs[i])
        if PENDING.metrics or self._has_standing_losses:
            for name, value, count in self.model._take_metrics():
                averages.add_side(name, value, count)
            PENDING.metrics = False
        if batch.y is not None:
            averages.add(ys, outputs, outcome.masks, weights)
        if self.overrides.compute_metrics:
            averages.tell(self.overrides.metrics(batch, outputs))
        elif self.overrides.may_hold_metrics and (own := self.overrides.own_metrics()):
            averages.tell({**averages.so_far(), **own})


def _sum(terms: Sequence[Tensor]) -> Tensor:
    return terms[0] if len(terms) == 1 else functools.reduce(torch.add, terms)
