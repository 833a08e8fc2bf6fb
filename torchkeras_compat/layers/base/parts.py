"""Parts of `Layer` that stand by themselves: side losses, and the symbolic tensors around a layer."""

from __future__ import annotations

from collections.abc import Sequence
from threading import get_ident
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from ..._core import settings
from ..._core.border import nameless
from ..._core.errors import show
from ..._core.planned import ComesLater
from ..._core.shapes import Shape
from ..._core.symbolic import SymbolicTensor, as_seen
from ..._core.user_tensors import Deferred, Live, call_user, hand_out, take_back
from .input_spec import InputSpec


@nameless
class SideLosses:
    """What layers add to the loss of a model."""

    _side_losses: ClassVar[list[int]] = [0]  # how many there have been: where none, nobody looks for them
    _losses_of: dict[int, list[Tensor]]  # thread → what its run left here
    _standing_losses: tuple[Any, ...] = ()  # functions and expressions of weights, for each step
    _sublayers: Any
    _trained_table: Any

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
            if not settings.inside_run() and (callable(loss) or isinstance(loss, (Live, Deferred))):
                self._standing_losses = (*self._standing_losses, loss)
            else:
                self._losses.append(_value(loss))

    def _all_standing_losses(self) -> list[Any]:
        """Return what is computed anew in each step, here and in sublayers."""
        if not self._side_losses[0]:
            return []
        return [*self._standing_losses, *(loss for layer in self._sublayers() for loss in layer._all_standing_losses())]

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Accept updates as Keras does; they were computed when `call` ran."""

    def add_metric(self, value: Any, name: str | None = None, **kwargs: Any) -> None:
        """Refuse: what a layer computes is not among the metrics yet.

        Args:
            value: The tensor.
            name: Its name.
            kwargs: Such as `aggregation`.

        Raises:
            ComesLater: Always; names what to write.
        """
        raise ComesLater(
            f"{self}.add_metric(name={name!r}) comes later; write a function of (y_true, y_pred) in "
            f"compile(metrics=[…]) now, or keep the value on the layer, self.{name or 'value'} = value.detach(), and "
            f"read it in a LambdaCallback(on_epoch_end=…)."
        )

    def _take_losses(self) -> list[Tensor]:
        """Return the side losses that the last run left here and in sublayers, and forget them."""
        taken: list[Tensor] = self._losses_of.pop(get_ident(), []) if self._losses_of else []
        if self._standing_losses and settings.inside_run():
            taken = taken + [_value(loss) for loss in self._standing_losses]
        for layer in self._sublayers():
            taken = taken + layer._take_losses()
        return taken

    def _forget_losses(self) -> None:
        """Forget the side losses of a run that nobody asked about."""
        if self._side_losses[0]:
            self._take_losses()

    @property
    def losses(self) -> list[Tensor]:
        """Penalties of the weights, and what the last run added."""
        penalties = [penalty for w in self._trained_table() if (penalty := w.penalty()) is not None]
        losses: list[Tensor] = hand_out([*penalties, *self._all_losses()])
        return losses

    def _all_losses(self) -> list[Tensor]:
        own = self._losses_of.get(get_ident(), ())
        standing = (_value(loss) for loss in self._standing_losses if not isinstance(loss, Deferred))
        return [*own, *standing, *(v for layer in self._sublayers() for v in layer._all_losses())]


def _value(loss: Any) -> Any:
    return call_user(loss) if callable(loss) else take_back(loss)


class Node(NamedTuple):
    """One call of a layer on symbolic tensors.

    Attributes:
        layer: The layer.
        input_tensors: Its symbolic input.
        output_tensors: Its symbolic output.
    """

    layer: Any
    input_tensors: SymbolicTensor
    output_tensors: SymbolicTensor

    @property
    def outbound_layer(self) -> Any:
        """The layer, as Keras 2 calls it."""
        return self.layer

    @property
    def input_shapes(self) -> Shape:
        """Keras shape of the input."""
        return self.input_tensors.shape

    @property
    def output_shapes(self) -> Shape:
        """Keras shape of the output."""
        return self.output_tensors.shape


@nameless
class Symbols:
    """The shapes and symbolic tensors of a layer in its model."""

    _built_shape: Shape | None
    _nodes: list[tuple[SymbolicTensor, SymbolicTensor]]
    batch_input_shape: Shape | None
    compute_output_shape: Any
    _sublayers: Any
    _input_rank: ClassVar[int | tuple[int, ...] | None]
    _input_spec: Any = None
    _wants_training: ClassVar[bool]

    @property
    def input_shape(self) -> Shape:
        """Keras shape of the input, batch size first; known once the layer is built."""
        shape = self._built_shape or self.batch_input_shape
        if shape is None:
            raise AttributeError(f"{self} has no input_shape yet: it is known once the layer is built.")
        return shape

    @property
    def output_shape(self) -> Shape:
        """Keras shape of the output; known once the layer is built."""
        return tuple(self.compute_output_shape(self.input_shape))

    @property
    def input(self) -> SymbolicTensor:
        """The symbolic input of the layer in its model."""
        return as_seen(self._node()[0])  # type: ignore[no-any-return]

    @property
    def output(self) -> SymbolicTensor:
        """The symbolic output of the layer in its model; in a user's loss or metric, its value in the run."""
        return as_seen(self._node()[1])  # type: ignore[no-any-return]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(spec := cls.__dict__.get("input_spec"), (InputSpec, list, tuple)):
            del cls.input_spec  # the property would be hidden, and nothing checked
            cls._input_spec = spec

    # --- by the number of a call, as scripts ask for layers that stand in several models -----------------------------

    @property
    def inbound_nodes(self) -> list[Node]:
        """The calls of the layer on symbolic tensors: in its model, and by hand."""
        return [Node(self, x, y) for x, y in self._calls()]

    @inbound_nodes.setter
    def inbound_nodes(self, nodes: Sequence[Any]) -> None:  # scripts empty the list before they use a layer again
        if len(nodes):
            raise ValueError(f"{type(self).__name__}.inbound_nodes can be emptied, and not set to {show(nodes)}.")
        self._nodes = []

    _inbound_nodes = inbound_nodes

    def get_input_at(self, node_index: int) -> SymbolicTensor:
        """Return the symbolic input of the call with this index.

        Args:
            node_index: 0 for the first call.

        Raises:
            ValueError: There was no such call.
        """
        return self._call_at("get_input_at", node_index)[0]

    def get_output_at(self, node_index: int) -> SymbolicTensor:
        """Return the symbolic output of the call with this index.

        Args:
            node_index: 0 for the first call.

        Raises:
            ValueError: There was no such call.
        """
        return as_seen(self._call_at("get_output_at", node_index)[1])  # type: ignore[no-any-return]

    def get_input_shape_at(self, node_index: int) -> Shape:
        """Return the Keras shape of `get_input_at`.

        Args:
            node_index: 0 for the first call.
        """
        return self._call_at("get_input_shape_at", node_index)[0].shape

    def get_output_shape_at(self, node_index: int) -> Shape:
        """Return the Keras shape of `get_output_at`.

        Args:
            node_index: 0 for the first call.
        """
        return self._call_at("get_output_shape_at", node_index)[1].shape

    def _calls(self) -> list[tuple[SymbolicTensor, SymbolicTensor]]:
        return self._nodes

    def _call_at(self, method: str, index: int) -> tuple[SymbolicTensor, SymbolicTensor]:
        calls = self._calls()
        if not -len(calls) <= index < len(calls):
            times = "has not been called" if not calls else f"has been called {len(calls)} times"
            raise ValueError(f"{self}.{method}({index}): the layer {times} on symbolic tensors.")
        return calls[index]

    @property
    def input_spec(self) -> Any:
        """An `InputSpec` or a list of them, which inputs are checked against; it may be set."""
        if self._input_spec is None and isinstance(self._input_rank, int):
            return InputSpec(ndim=self._input_rank)
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        for spec in value if isinstance(value, (list, tuple)) else [value]:
            if spec is not None and not isinstance(spec, InputSpec):
                kind = type(self).__name__
                raise TypeError(f"{kind}.input_spec must be an InputSpec, a list of them or None; got {show(value)}.")
        self._input_spec = value

    @property
    def updates(self) -> list[Any]:
        """Nothing: what a layer changes beside its trained weights, it changes when it runs."""
        return []

    @property
    def uses_learning_phase(self) -> bool:
        """Whether the layer, or one inside it, does something else in training."""
        return self._wants_training or any(layer.uses_learning_phase for layer in self._sublayers())

    def _node(self) -> tuple[SymbolicTensor, SymbolicTensor]:
        if not self._nodes:
            raise RuntimeError(f"{self} has no input or output yet: add it to a model whose input shape is known.")
        return self._nodes[-1]
