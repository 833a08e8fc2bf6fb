"""What layers add to the loss of a model: penalties of activities, and `add_loss`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from threading import get_ident
from typing import Any, ClassVar

from torch import Tensor

from ..._core import settings
from ..._core.border import nameless
from ..._core.errors import argument_error
from ..._core.graph_capture import CannotCapture, capturing
from ..._core.runs import RUN, run_values
from ..._core.symbolic import SymbolicTensor
from ..._core.user_tensors import Deferred, Live, call_user, hand_out, take_back
from ..._core.weights import Weight
from ...metrics import Metric


class _Pending(threading.local):
    """Whether layers that ran in this thread have added losses or metrics since a step last took some."""

    losses = False
    metrics = False


PENDING = _Pending()


@nameless
class SideLosses:
    """What layers add to the loss of a model."""

    _side_losses: ClassVar[list[int]] = [0]  # how many there have been: where none, nobody looks for them
    _losses_of: dict[int, list[Tensor]]  # thread → what its run left here
    _symbolic_of: dict[int, list[Tensor]]  # thread → what symbolic tensors that were added came to in its run
    _losses_before: int | None = None  # how many the last run that nobody may ask any more has left here
    _side_metrics: ClassVar[list[int]] = [0]  # how many there have been
    _metrics_of: dict[int, list[tuple[str, Tensor]]]
    _standing_metrics: tuple[tuple[str, Any], ...] = ()
    _told_metrics: tuple[Any, ...] = ()  # metric objects whose results were given to `add_metric`
    _standing_losses: tuple[Any, ...] = ()  # functions and expressions of weights, for each step
    _sublayers: Any
    _calls: Any
    _table: list[Weight]

    @property
    def _losses(self) -> list[Tensor]:
        """What the run in this thread has left here."""
        return self._losses_of.setdefault(get_ident(), [])

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add to the training loss.

        Args:
            losses: A scalar, or a function that returns one, or a list of them.  What is added in `call` counts for
                that call; a function, an expression of weights or a symbolic tensor that is added elsewhere, as in
                `build`, is computed anew in each step.
            inputs: Accepted for Keras's sake.
        """
        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            self._side_losses[0] += 1
            PENDING.losses = True
            if not settings.inside_run() and (callable(loss) or isinstance(loss, (Live, Deferred))):
                self._standing_losses = (*self._standing_losses, loss)
            else:
                self._losses.append(_value(loss))

    def _all_standing_losses(self) -> list[Any]:
        """Return what is computed anew in each step, here and in sublayers."""
        if not self._side_losses[0] and not self._side_metrics[0]:
            return []
        return [
            *self._standing_losses,
            *self._standing_metrics,
            *(loss for layer in self._sublayers() for loss in layer._all_standing_losses()),
        ]

    def add_metric(self, value: Any, name: str | None = None, aggregation: str | None = "mean", **kwargs: Any) -> None:
        """Tell a value of each batch among the metrics: its mean over the batches of an epoch.

        Args:
            value: A tensor; of a model with a graph, a symbolic one. One that a metric object gave stands for that.
            name: What logs call it; a metric object goes by its own name.
            aggregation: `'mean'`, or `None` where `value` is the result of a metric object.
            kwargs: Accepted for Keras's sake.

        Raises:
            ValueError: No name, or another aggregation.
        """
        if aggregation not in ("mean", None):
            raise argument_error(type(self).__name__, "aggregation", "'mean' or None", aggregation)
        if capturing():
            raise CannotCapture("it tells a metric of its own by add_metric", self)
        metric = getattr(value, "_metric_obj", None)
        if metric is not None:  # which keeps a state of its own, under its own name
            if all(known is not metric for known in self._told_metrics):
                self._told_metrics = (*self._told_metrics, metric)
            return
        if name is None:
            raise argument_error(type(self).__name__, "name", "a string, which logs call the metric", name)
        self._side_metrics[0] += 1
        PENDING.metrics = True
        if isinstance(value, Deferred) and not settings.inside_run():
            self._standing_metrics = (*self._standing_metrics, (name, value))
        else:
            self._metrics_of.setdefault(get_ident(), []).append((name, take_back(value)))

    @property
    def metrics(self) -> list[Metric]:
        """The metric objects that this layer, and layers inside it, hold in attributes and their lists."""
        return [*held_metrics(self), *(metric for layer in self._sublayers() for metric in layer.metrics)]

    def _take_metrics(self) -> list[tuple[str, Tensor, int]]:
        """Return what the last run told by `add_metric`, here and in sublayers: name, mean and number of values."""
        if not self._side_metrics[0]:
            return []
        told = self._metrics_of.pop(get_ident(), [])
        told = [*told, *((name, _value(value)) for name, value in self._standing_metrics)]
        own = [(name, value.detach().mean(), value.numel()) for name, value in told]
        return [*own, *(item for layer in self._sublayers() for item in layer._take_metrics())]

    def _take_losses(self) -> list[Tensor]:
        """Return the side losses that the last run left here and in sublayers, and forget them."""
        losses: list[Tensor] = self._popped_losses() or []
        if self._standing_losses and settings.inside_run():
            losses = losses + [_value(loss) for loss in self._standing_losses]
        for layer in self._sublayers():
            losses = losses + layer._take_losses()
        return losses

    def _symbolic_losses(self) -> list[tuple[SideLosses, Any]]:
        """Return the symbolic tensors that were added here and in sublayers, each with the layer that has it."""
        if not self._side_losses[0]:
            return []
        own = [(self, loss) for loss in self._standing_losses if isinstance(loss, Deferred)]
        return [*own, *(entry for layer in self._sublayers() for entry in layer._symbolic_losses())]

    def _adds_penalties(self) -> bool:
        """Tell whether this layer, or one inside it, adds a penalty of its output to the loss."""
        own = getattr(self, "activity_regularizer", None) is not None
        return own or any(layer._adds_penalties() for layer in self._sublayers())

    def _popped_losses(self) -> list[Tensor] | None:
        """Return what the run in this thread has left here, and note of it how many they were; `None` for no run."""
        if self._symbolic_of:
            self._symbolic_of.pop(get_ident(), None)
        losses = self._losses_of.pop(get_ident(), None) if self._losses_of else None
        if losses is not None:
            self._losses_before = len(losses)
        return losses

    def _forget_losses(self, runs_next: bool = False) -> None:
        """Forget the side losses of a run that nobody asked about.

        Args:
            runs_next: Whether a run follows by which it is decided anew how many there are.
        """
        if self._side_losses[0]:
            self._drop_losses(runs_next)
        self._forget_metrics()

    def _drop_losses(self, runs_next: bool) -> None:
        """Drop what the run in this thread has left here and in sublayers; nothing is computed for it."""
        self._popped_losses()
        if runs_next and self._losses_before is not None:
            self._losses_before = 0
        for layer in self._sublayers():
            layer._drop_losses(runs_next)

    def _forget_metrics(self) -> None:
        """Forget what a run told by `add_metric` that nobody asked about."""
        if self._side_metrics[0]:
            if self._metrics_of:
                self._metrics_of.pop(get_ident(), None)
            for layer in self._sublayers():
                layer._forget_metrics()

    @property
    def losses(self) -> list[Tensor]:
        """What the last run added and the penalties of the weights, layer by layer.

        What a call on symbolic tensors or a step of training has added has no value here: a symbolic tensor stands for
        it, so that the list is as long as in a run.
        """
        losses: list[Tensor] = hand_out(self._all_losses(set(), 0))
        return losses

    def _all_losses(self, counted: set[int], calls: int) -> list[Any]:
        """Return the losses of this layer, then those of its sublayers.

        Args:
            counted: The weights whose penalty is among them already: a layer may stand in two places.
            calls: How often what this layer stands in was called on symbolic tensors.
        """
        calls = max(calls, len(self._calls()))
        own = self._losses_of.get(get_ident())
        in_step = bool(RUN.values)  # a user's step has run the model, and the values of its tensors are known
        waiting: list[Any] = []
        if own is None and not in_step and not settings.inside_run():
            waiting = [SymbolicTensor((), name=f"{self}/loss") for _ in range(self._number_of_losses(calls))]
        known = None if in_step else self._symbolic_of.get(get_ident())
        standing = [
            loss if isinstance(loss, Deferred) and not in_step else _value(loss)
            for loss in self._standing_losses
            if known is None or not isinstance(loss, Deferred)
        ]
        table = [w for w in self._table if id(w) not in counted]
        counted |= {id(w) for w in table}
        penalties = [penalty for w in table if (penalty := w.penalty()) is not None]
        inside = [v for layer in self._sublayers() for v in layer._all_losses(counted, calls)]
        return [*(own or ()), *waiting, *(known or ()), *standing, *penalties, *inside]

    def _number_of_losses(self, calls: int) -> int:
        """Return how many losses a run adds here, as far as the last one, or so many calls, tell."""
        if self._losses_before is not None:
            return self._losses_before
        return calls if getattr(self, "activity_regularizer", None) is not None else 0


def kept_for(added: list[Any]) -> AbstractContextManager[Any]:
    """Keep the values of symbolic tensors in the block where some of them were added to the loss.

    Args:
        added: What `_symbolic_losses` returned.
    """
    return run_values() if added and RUN.values is None else nullcontext()


def compute_symbolic(added: list[tuple[SideLosses, Any]]) -> None:
    """Leave the values of symbolic tensors among what the run that ends here has added to the loss.

    Args:
        added: What `_symbolic_losses` returned.
    """
    for layer, loss in added:
        layer._symbolic_of.setdefault(get_ident(), []).append(_value(loss))


def held_metrics(layer: Any) -> Iterator[Metric]:
    """Yield the metrics in the attributes of a layer, and in their lists."""
    for value in vars(layer).values():
        if isinstance(value, Metric):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (item for item in value if isinstance(item, Metric))


def _value(loss: Any) -> Any:
    return call_user(loss) if callable(loss) else take_back(loss)
