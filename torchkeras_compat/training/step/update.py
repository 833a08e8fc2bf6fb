"""From the loss of a batch to new weights."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from ..._core.border import user_stacklevel
from ..._core.graph_capture import CannotCapture, capturing
from ..._core.weights import Codec, Weight
from ...optimizers import Optimizer
from .embedding_rows import Lookups, RowWeight, goes_by_rows, row_gradients
from .parameter_groups import choose_storage

_NOTHING: AbstractContextManager[None] = nullcontext()


class Update:
    """How one model's trained parameters follow their gradients; this one, for a model without any, does nothing.

    Args:
        optimizer: The optimizer.
        table: The weights to train.
    """

    params: Sequence[Tensor] = ()  # those that are stepped

    def __init__(self, optimizer: Any, table: Sequence[Weight]) -> None:
        self.optimizer = optimizer
        self.constrained = [w for w in table if w.constraint is not None]

    def __call__(self, loss: Tensor) -> None:
        """Make one step from the loss of a batch."""

    def step_written(self, grads: list[Tensor]) -> None:
        """Make one step from gradients that were written out, where there is a place for them."""

    @property
    def outdated(self) -> bool:
        """Whether the optimizer has been given options that ask for other formulas than those prepared for."""
        return False

    def recording(self) -> AbstractContextManager[Any]:
        """Return the context that the forward pass runs in."""
        return _NOTHING

    def valid(self) -> bool:
        """Tell whether what was prepared still stands: the parameters and slots are where they were."""
        return True

    def finish(self) -> None:
        """Bring everything up to date at the end of a `fit`."""

    def constrain(self) -> None:
        """Apply the constraints of the weights."""
        for weight in self.constrained:
            weight.constrain()

    # --- in a graph ----------------------------------------------------------------------------------------------

    def scalars(self) -> dict[str, float]:
        """Return the numbers of the next step that a graph takes as inputs."""
        return {}

    def frozen(self) -> tuple[Any, ...]:
        """Return what a graph takes from the optimizer for good: where it changes, a new graph is due."""
        return ()

    def captured(self, loss: Tensor, scalars: Mapping[str, Any]) -> list[Tensor]:
        """Make the part of a step that belongs into a graph, and return what `after` needs for the rest."""
        return []

    def after(self, left: list[Tensor], scalars: Mapping[str, Any]) -> None:
        """Make the rest of a step whose graph has run."""


class KerasUpdate(Update):
    """An optimizer of this package.

    Args:
        optimizer: The optimizer.
        table: The weights to train.
        flat_allowed: Whether small models may move into one flat tensor.
    """

    def __init__(self, optimizer: Optimizer, table: Sequence[Weight], flat_allowed: bool) -> None:
        super().__init__(optimizer, table)
        by_rows = [w for w in table if goes_by_rows(optimizer, w)]
        self.rows = [RowWeight(optimizer, w) for w in by_rows]
        known = {id(row.param) for row in self.rows}
        named: dict[str, Tensor] = {}
        codecs: dict[str, Codec] = {}
        for weight in table:
            alone = len(weight.attributes) == 1
            for attribute, parameter in zip(weight.attributes, weight.parameters):
                if id(parameter) not in known:
                    known.add(id(parameter))
                    name = _free(weight.path if alone else f"{weight.path}/{attribute}", named)
                    named[name] = parameter
                    if alone:
                        codecs[name] = weight.codec
        # cuDNN wants the parameters of a recurrent layer in one piece of memory of its own.
        chunked = any(isinstance(w.module, nn.RNNBase) and w.parameters[0].is_cuda for w in table)
        self.storage = choose_storage(optimizer, named, codecs, flat_allowed and not chunked) if named else None
        self.dense = list(named.values())
        self.params = [*self.dense, *(row.param for row in self.rows)]
        self.formulas = optimizer._formulas

    @property
    def outdated(self) -> bool:
        """Whether the optimizer has been given options that ask for other formulas than those prepared for."""
        changed: bool = self.formulas != self.optimizer._formulas
        return changed

    def recording(self) -> AbstractContextManager[Any]:
        """Return the context in which embeddings give sparse gradients, or their looked-up rows are kept."""
        if not self.rows:
            return _NOTHING
        if not capturing():
            return row_gradients(self.rows)
        self.lookups = Lookups(self.rows)
        return self.lookups

    def valid(self) -> bool:
        """Tell whether parameters and slots are where they were."""
        stands = self.storage is None or self.storage.valid()
        return stands and not self.outdated and all(row.valid() for row in self.rows)

    def __call__(self, loss: Tensor) -> None:
        """Make one step from the loss of a batch."""
        grads = torch.autograd.grad(loss, self.params, allow_unused=True)
        if any(g is None for g in grads) or (self.rows and self.optimizer.clips):
            self._step_some(grads)
        else:
            self._step_all(grads)
        self.optimizer._iterations += 1
        if self.constrained:
            self.constrain()

    def step_written(self, grads: list[Tensor]) -> None:
        """Make one step from gradients that stand where `storage.places()` said."""
        optimizer = self.optimizer
        if optimizer.clips:
            grads = optimizer.clip(grads)
        if self.storage is not None:
            self.storage.update(grads, optimizer.scalars(optimizer._iterations))
        optimizer._iterations += 1
        if self.constrained:
            self.constrain()

    def _step_all(self, grads: Sequence[Any]) -> None:
        optimizer = self.optimizer
        scalars = optimizer.scalars(optimizer._iterations)
        if self.storage is not None:
            given = self.storage.gathered(grads[: len(self.dense)])
            if optimizer.clips:
                given = optimizer.clip([g.clone() for g in given])
            self.storage.update(given, scalars)
        for row, grad in zip(self.rows, grads[len(self.dense) :]):
            row.step(grad, scalars)

    def _step_some(self, grads: Sequence[Tensor | None]) -> None:
        """Step the parameters that have a gradient, clipping all gradients together; sparse ones by their rows."""
        optimizer = self.optimizer
        scalars = optimizer.scalars(optimizer._iterations)
        dense = [(p, g) for p, g in zip(self.dense, grads) if g is not None]
        rows = [(r, g) for r, g in zip(self.rows, grads[len(self.dense) :]) if g is not None]
        if optimizer.clips:
            copies = [g.clone() for _, g in [*dense, *rows]]
            optimizer.clip([g._values() if g.is_sparse else g for g in copies])
            dense = [(p, g) for (p, _), g in zip(dense, copies)]
            rows = [(r, g) for (r, _), g in zip(rows, copies[len(dense) :])]
        if dense:
            held = [optimizer.slots_of(p) for p, _ in dense]
            slots = {name: [h[name] for h in held] for name in optimizer.slot_names}
            optimizer.update([p for p, _ in dense], [g for _, g in dense], slots, scalars)
        for row, grad in rows:
            row.step(grad, scalars)

    def scalars(self) -> dict[str, float]:
        """Return the numbers of the next step that a graph takes as inputs."""
        numbers: dict[str, float] = self.optimizer.scalars(self.optimizer._iterations)
        return numbers

    def frozen(self) -> tuple[Any, ...]:
        """Return what a graph takes from the optimizer for good."""
        optimizer = self.optimizer
        return optimizer.clips, tuple(optimizer._limit(clip) for clip in optimizer.clips), bool(optimizer.weight_decay)

    def captured(self, loss: Tensor, scalars: Mapping[str, Any]) -> list[Tensor]:
        """Step all parameters but the tables of embeddings, for which indices and gradients are returned."""
        looked_up = self.lookups.found if self.rows else []
        wanted = [*self.dense, *(rows for _, _, rows in looked_up), *(row.param for row in self.rows)]
        grads = torch.autograd.grad(loss, wanted, allow_unused=True)
        dense, by_lookup = grads[: len(self.dense)], grads[len(self.dense) : len(self.dense) + len(looked_up)]
        if any(g is not None for g in grads[len(self.dense) + len(looked_up) :]):
            raise CannotCapture("the table of an embedding is used for more than looking up rows")
        if self.rows and self.optimizer.clips:
            raise CannotCapture(
                "the gradients of an embedding's rows are clipped together with the others", self.optimizer
            )
        with torch.no_grad():
            self._step_captured(dense, scalars)
        self.constrain()
        self.left = [row for (row, _, _), grad in zip(looked_up, by_lookup) if grad is not None]
        pairs = [(indices, grad) for (_, indices, _), grad in zip(looked_up, by_lookup) if grad is not None]
        return [t for indices, grad in pairs for t in (indices.flatten().long(), grad.flatten(0, indices.dim() - 1))]

    def _step_captured(self, grads: Sequence[Tensor | None], scalars: Mapping[str, Any]) -> None:
        optimizer, storage = self.optimizer, self.storage
        given = [g for g in grads if g is not None]
        if storage is None or not given:
            return
        if len(given) == len(grads):
            storage.update_each(optimizer.clip(storage.joined(given)), scalars)
            return
        params = [p for p, g in zip(self.dense, grads) if g is not None]
        for param, grad in zip(params, optimizer.clip(given)):
            held = optimizer.slots_of(param)
            optimizer.update([param], [grad], {name: [held[name]] for name in optimizer.slot_names}, scalars)

    def after(self, left: list[Tensor], scalars: Mapping[str, Any]) -> None:
        """Step the rows that a batch looked up, and count the step."""
        by_row: dict[int, list[int]] = {}
        for i, row in enumerate(self.left):
            by_row.setdefault(id(row), []).append(2 * i)
        for places in by_row.values():
            row = self.left[places[0] // 2]
            indices, values = [left[i] for i in places], [left[i + 1] for i in places]
            alone = len(places) == 1
            row.step_rows(
                indices[0] if alone else torch.cat(indices), values[0] if alone else torch.cat(values), scalars
            )
        self.optimizer._iterations += 1

    def finish(self) -> None:
        """Let moving averages take the place of the weights."""
        self.optimizer.finalize_variable_values(self.params)


def _free(path: str, names: Container[str]) -> str:
    """Return a name for a parameter: its path, numbered where weights of two layers of one name share it."""
    return next(n for n in itertools.chain([path], (f"{path}#{i}" for i in itertools.count(2))) if n not in names)


class TorchUpdate(Update):
    """A `torch.optim.Optimizer` that the user made, stepped as in a hand-written loop."""

    def __init__(self, optimizer: Any, table: Sequence[Weight]) -> None:
        super().__init__(optimizer, table)
        self.params = list({id(p): p for w in table for p in w.parameters}.values())

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

    def __call__(self, loss: Tensor) -> None:
        """Make one step from the loss of a batch."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=self.params)  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.constrain()

    def captured(self, loss: Tensor, scalars: Mapping[str, Any]) -> list[Tensor]:
        """Return the gradients; the optimizer is the user's and runs outside."""
        grads = torch.autograd.grad(loss, self.params, allow_unused=True)
        self.reached = [p for p, g in zip(self.params, grads) if g is not None]
        return [g for g in grads if g is not None]

    def after(self, left: list[Tensor], scalars: Mapping[str, Any]) -> None:
        """Make one step from the gradients."""
        self.optimizer.zero_grad(set_to_none=True)
        for param, grad in zip(self.reached, left):
            param.grad = grad
        self.optimizer.step()
        self.constrain()


class ClosureUpdate(TorchUpdate):
    """A `torch.optim.Optimizer` whose step asks for the loss again, as LBFGS does."""

    def step_by(self, closure: Callable[[], Tensor]) -> None:
        """Make one step.

        Args:
            closure: Returns the loss of the batch at the weights as they stand then.
        """

        def evaluate() -> Tensor:
            self.optimizer.zero_grad(set_to_none=True)
            loss = closure()
            loss.backward(inputs=self.params)  # type: ignore[no-untyped-call]
            return loss

        self.optimizer.step(evaluate)
        self.constrain()

    def captured(self, loss: Tensor, scalars: Mapping[str, Any]) -> list[Tensor]:
        """Refuse: the number of evaluations depends on the losses."""
        raise CannotCapture(f"a step of {type(self.optimizer).__name__} evaluates the loss as often as it needs")
