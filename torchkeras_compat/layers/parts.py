"""Parts of `Layer` that stand by themselves: side losses, and the symbolic tensors around a layer."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from .._core import settings
from .._core.shapes import Shape
from .._core.symbolic import SymbolicTensor
from .._core.user_tensors import Deferred, Live, call_user, hand_out, take_back


class SideLosses:
    """What layers add to the loss of a model."""

    _side_losses: ClassVar[list[int]] = [0]  # how many there have been: where none, nobody looks for them
    _standing_losses: tuple[Any, ...] = ()  # functions and expressions of weights, for each step
    _losses: list[Tensor]
    _sublayers: Any
    _trained_table: Any

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

    def standing_losses(self) -> list[Any]:
        """Return what is computed anew in each step, here and in _sublayers."""
        if not self._side_losses[0]:
            return []
        return [*self._standing_losses, *(loss for layer in self._sublayers() for loss in layer.standing_losses())]

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Accept updates as Keras does; they were computed when `call` ran."""

    def _take_losses(self) -> list[Tensor]:
        """Return the side losses that the last run left here and in _sublayers, and forget them."""
        taken: list[Tensor] = self._losses
        if taken:
            self._losses = []
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
        standing = (_value(loss) for loss in self._standing_losses if not isinstance(loss, Deferred))
        return [*self._losses, *standing, *(v for layer in self._sublayers() for v in layer._all_losses())]


def _value(loss: Any) -> Any:
    return call_user(loss) if callable(loss) else take_back(loss)


class Symbols:
    """The shapes and symbolic tensors of a layer in its model."""

    _built_shape: Shape | None
    _nodes: list[tuple[SymbolicTensor, SymbolicTensor]]
    batch_input_shape: Shape | None
    compute_output_shape: Any

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
        return self._node()[0]

    @property
    def output(self) -> SymbolicTensor:
        """The symbolic output of the layer in its model."""
        return self._node()[1]

    def _node(self) -> tuple[SymbolicTensor, SymbolicTensor]:
        if not self._nodes:
            raise RuntimeError(f"{self} has no input or output yet: add it to a model whose input shape is known.")
        return self._nodes[-1]
