"""From gradients to new weights: how the trained parameters of one model follow the gradients of a batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..._core.border import user_stacklevel
from ..._core.graph_capture import CannotCapture
from ..._core.weights import Weight
from ...optimizers import Optimizer
from ...optimizers.foreach import Tensors
from ...optimizers.slots import Gradients, ListGroup, Scalars, name_parameters
from .embedding_rows import EmbeddingGroup, LookupRecording, goes_by_rows, join_lookups
from .parameter_groups import FlatGroup, choose_group


def parameters_of(table: Sequence[Weight]) -> Tensors:
    """Return the parameters behind weights, each once."""
    return list({id(p): p for w in table for p in w.parameters}.values())


def complete(gradients: Gradients) -> Gradients:
    """Return gradients as they are: one device has seen the whole batch."""
    return gradients


class Update:
    """How one model's trained parameters follow their gradients; this one, for a model without any, does nothing.

    Finding gradients and applying them are two steps: those of `gradients(loss)`, or others in the same form, go to
    `apply`.

    Args:
        optimizer: The optimizer.
        table: The weights to train.

    Attributes:
        params: The parameters that are stepped.
        recording: The context that the forward pass runs in.
        has_stepped: Whether a step has been made, and so has had the memory that it needs.
        reduce: Makes the gradients of the whole batch of what each device found for its part; it takes and returns
            pairs of a parameter group and its gradients.
    """

    params: Tensors
    has_stepped = False
    recording: AbstractContextManager[Any] = nullcontext()
    reduce: Callable[[Gradients], Gradients] = staticmethod(complete)

    def __init__(self, optimizer: Any, table: Sequence[Weight]) -> None:
        self.optimizer = optimizer
        self.params = []
        self.constrained = [w for w in table if w.constraint is not None]

    def __call__(self, loss: Tensor) -> None:
        """Make one step from the loss of a batch."""
        self.apply(self.gradients(loss))

    def gradients(self, loss: Tensor) -> Gradients:
        """Return the gradients of a loss by autograd, each with the group of parameters that follows it.

        Parameters that the loss does not reach are in no group, and stay as they are.
        """
        return []

    def apply(self, gradients: Gradients, scalars: Scalars | None = None) -> None:
        """Make one step: reduce over devices → clip → groups → count, and then the constraints, as in Keras.

        Args:
            gradients: Pairs of a group and its gradients: of `gradients(loss)`, or those that a group's `places` gave.
            scalars: The numbers of the step, where they are known already: 0-d tensors in a graph.
        """
        gradients = self.reduce(gradients)
        self.step_groups(gradients, scalars)
        for weight in self.constrained:
            weight.constrain()

    def step_groups(self, gradients: Gradients, scalars: Scalars | None) -> None:
        """Let the groups follow their gradients: clip → groups → count."""

    @property
    def outdated(self) -> bool:
        """Whether the optimizer has been given options that ask for other formulas than those prepared for."""
        return False

    def valid(self) -> bool:
        """Tell whether what was prepared still stands: the parameters and slots are where they were."""
        return True

    def finish(self) -> None:
        """Bring everything up to date at the end of a `fit`."""

    # --- in a graph ----------------------------------------------------------------------------------------------

    def scalars(self) -> dict[str, float]:
        """Return the numbers of the next step that a graph takes as inputs."""
        return {}

    def scalars_at(self, ahead: int) -> dict[str, float]:
        """Return the numbers of the step that comes so many steps after the next one, as far as is known now."""
        return {}

    def frozen(self) -> tuple[Any, ...]:
        """Return what a graph takes from the optimizer for good: where it changes, a new graph is due."""
        return ()

    def captured(self, loss: Tensor, scalars: Scalars) -> list[Tensor]:
        """Make the part of a step that belongs into a graph, and return what `after` needs for the rest."""
        return []

    def after(self, outside: list[Tensor], scalars: Scalars) -> None:
        """Make the rest of a step whose graph has run."""


class KerasUpdate(Update):
    """An optimizer of this package.

    Args:
        optimizer: The optimizer.
        table: The weights to train.
        flat_allowed: Whether small models may move into one flat tensor.

    Attributes:
        dense: The parameters that are stepped whole, `None` where there are none.
        embeddings: The tables of which a step touches some rows.
    """

    steps_rows = True  # whether large tables are stepped by the rows that a batch touched
    takes_written_gradients = True  # whether it steps by gradients that no autograd has found

    def __init__(self, optimizer: Optimizer, table: Sequence[Weight], flat_allowed: bool) -> None:
        super().__init__(optimizer, table)
        by_rows = [w for w in table if self.steps_rows and goes_by_rows(optimizer, w)]
        self.embeddings = [EmbeddingGroup(optimizer, w) for w in by_rows]
        self.lookups = LookupRecording(self.embeddings)
        if by_rows:
            self.recording = self.lookups
        named, codecs = name_parameters(table, [group.param for group in self.embeddings])
        # cuDNN wants the parameters of a recurrent layer in one piece of memory of its own.
        chunked = any(isinstance(w.module, nn.RNNBase) and w.parameters[0].is_cuda for w in table)
        self.dense: ListGroup | FlatGroup | None = None
        if named:
            binding = optimizer.bind(named.items(), codecs, self.constrained, table)
            self.dense = choose_group(optimizer, binding, flat_allowed and not chunked)
        self._tables: list[EmbeddingGroup] = []  # those that the last graph looked something up in
        self.groups = [*([] if self.dense is None else [self.dense]), *self.embeddings]
        self.params = [param for group in self.groups for param in group.params]
        self.revision = optimizer.hyperparameters.revision

    @property
    def outdated(self) -> bool:
        """Whether the optimizer has been given options that ask for other formulas than those prepared for."""
        changed: bool = self.revision != self.optimizer.hyperparameters.revision
        return changed

    def valid(self) -> bool:
        """Tell whether parameters and slots are where they were."""
        return not self.outdated and all(group.valid() for group in self.groups)

    def gradients(self, loss: Tensor) -> Gradients:
        """Return the gradients of a loss by autograd, each with the group of parameters that follows it."""
        return self._gathered(torch.autograd.grad(loss, self.params, allow_unused=True))

    def _gathered(self, grads: Sequence[Tensor | None]) -> Gradients:
        """Return gradients, in the order of `params`, as the groups want them; embeddings may be left out."""
        gradients: Gradients = []
        start = 0
        for group in self.groups:
            part = grads[start : start + len(group.params)]
            start += len(group.params)
            if part:
                gradients += group.gather(part)
        return gradients

    def step_groups(self, gradients: Gradients, scalars: Scalars | None) -> None:
        """Let the groups follow their gradients."""
        self.optimizer.step_groups(gradients, scalars)

    def finish(self) -> None:
        """Let moving averages take the place of the weights."""
        self.optimizer.finalize_variable_values(self.params)

    # --- in a graph ----------------------------------------------------------------------------------------------

    def scalars(self) -> dict[str, float]:
        """Return the numbers of the next step that a graph takes as inputs."""
        return self.scalars_at(0)

    def scalars_at(self, ahead: int) -> dict[str, float]:
        """Return the numbers of the step that comes so many steps after the next one."""
        numbers: dict[str, float] = self.optimizer.scalars(self.optimizer._iterations + ahead)
        return numbers

    def frozen(self) -> tuple[Any, ...]:
        """Return what a graph takes from the optimizer for good."""
        return self.optimizer.clipping, bool(self.optimizer.weight_decay)

    def captured(self, loss: Tensor, scalars: Scalars) -> list[Tensor]:
        """Step all parameters but the tables of embeddings, for which indices and gradients are returned."""
        lookups = self.lookups.noted
        dense = [] if self.dense is None else self.dense.params
        tables = [group.param for group in self.embeddings]
        grads = torch.autograd.grad(loss, [*dense, *(leaf for *_, leaf in lookups), *tables], allow_unused=True)
        if any(g is not None for g in grads[len(grads) - len(tables) :]):
            raise CannotCapture("the table of an embedding is used for more than looking up rows")
        if self.embeddings and self.optimizer.clipping.limits:
            raise CannotCapture(
                "the gradients of an embedding's rows are clipped together with the others", self.optimizer
            )
        self.apply(self._gathered(grads[: len(dense)]), scalars)
        pairs = [(lookup, g) for lookup, g in zip(lookups, grads[len(dense) :]) if g is not None]
        self._tables = [group for (group, *_), _ in pairs]
        return [t for (_, i, _), g in pairs for t in (i.flatten().long(), g.flatten(0, i.dim() - 1))]

    def after(self, outside: list[Tensor], scalars: Scalars) -> None:
        """Step the rows that a batch looked up, and count the step."""
        self.step_groups(join_lookups(list(zip(self._tables, outside[::2], outside[1::2]))), scalars)
        self.optimizer.iterations += 1


class GradGroup(NamedTuple):
    """Parameters whose gradients a torch optimizer reads from their `grad`."""

    optimizer: torch.optim.Optimizer
    params: Tensors

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Make one step; the optimizer has numbers of its own."""
        put_gradients(self.params, grads)
        self.optimizer.step()


def put_gradients(params: Tensors, grads: Tensors) -> None:
    """Put gradients where torch's optimizers read them."""
    for param, grad in zip(params, grads):
        if param.grad is not grad:
            param.grad = grad


class TorchUpdate(Update):
    """A `torch.optim.Optimizer` that the user made, stepped as in a hand-written loop."""

    def __init__(self, optimizer: Any, table: Sequence[Weight]) -> None:
        super().__init__(optimizer, table)
        self.params = parameters_of(table)

    def warn_of_other_parameters(self) -> None:
        """Warn when the optimizer was made of parameters that are not the model's, or not of all of them."""
        held = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        shared = sum(id(p) in held for p in self.params)
        if shared == len(self.params):
            return
        told = (
            "holds none of the model's parameters, so that nothing is trained"
            if not shared
            else f"holds {shared} of the model's {len(self.params)} trainable parameters; the others stay as they are"
        )
        warnings.warn(
            f"the optimizer {type(self.optimizer).__name__} {told}. Make it of model.parameters() once the model is "
            f"built, or set layer.trainable = False for what is to stay.",
            stacklevel=user_stacklevel(),
        )

    def gradients(self, loss: Tensor) -> Gradients:
        """Return what `backward` leaves on the parameters."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=self.params)  # type: ignore[no-untyped-call]
        return self._gathered([p.grad for p in self.params])

    def _gathered(self, grads: Sequence[Tensor | None]) -> Gradients:
        reached = [(p, g) for p, g in zip(self.params, grads) if g is not None]
        return [(GradGroup(self.optimizer, [p for p, _ in reached]), [g for _, g in reached])]

    def step_groups(self, gradients: Gradients, scalars: Scalars | None) -> None:
        """Let the optimizer step its parameters."""
        for group, grads in gradients:
            group.step(grads, scalars or {})

    def captured(self, loss: Tensor, scalars: Scalars) -> list[Tensor]:
        """Return the gradients; the optimizer is the user's and runs outside."""
        grads = torch.autograd.grad(loss, self.params, allow_unused=True)
        self._reached = [g is not None for g in grads]
        return [g for g in grads if g is not None]

    def after(self, outside: list[Tensor], scalars: Scalars) -> None:
        """Make one step from the gradients."""
        self.optimizer.zero_grad(set_to_none=True)
        grads = iter(outside)
        self.apply(self._gathered([next(grads) if reached else None for reached in self._reached]))


class ClosureUpdate(TorchUpdate):
    """A `torch.optim.Optimizer` whose step asks for the loss again, as LBFGS does."""

    def step_by(self, closure: Callable[[], Tensor]) -> None:
        """Make one step.

        Args:
            closure: Returns the loss of the batch at the weights as they stand then.
        """

        def evaluate() -> Tensor:
            loss = closure()
            for group, grads in self.reduce(self.gradients(loss)):
                put_gradients(group.params, grads)
            return loss

        self.optimizer.step(evaluate)
        for weight in self.constrained:
            weight.constrain()

    def captured(self, loss: Tensor, scalars: Scalars) -> list[Tensor]:
        """Refuse: the number of evaluations depends on the losses."""
        raise CannotCapture(f"a step of {type(self.optimizer).__name__} evaluates the loss as often as it needs")
