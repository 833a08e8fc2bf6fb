"""How parameters lie in memory while an optimizer steps them: one flat tensor for small models, else lists."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..._core.graph_capture import CAPTURE
from ...optimizers import Binding, Optimizer
from ...optimizers.foreach import Tensors
from ...optimizers.slots import Gradients, ListGroup, Scalars, gather_reached

FLAT_ELEMENTS = 1 << 17  # above this the copies into one gradient cost more than the calls they spare


class FlatGroup:
    """Parameters as views of one tensor, so that a step is a handful of kernels whatever their number.

    Args:
        optimizer: The optimizer; elementwise.
        binding: Its slots for the parameters, which have no gaps in memory and are of one type and device.
    """

    def __init__(self, optimizer: Optimizer, binding: Binding) -> None:
        self.optimizer = optimizer
        self.params = binding.params
        self.slot_names = optimizer.slot_names
        self.sizes = [p.numel() for p in self.params]
        self.orders = [None if p.is_contiguous() else memory_order(p) for p in self.params]
        self.flat = torch.cat(self._pieces([p.detach() for p in self.params]))
        for param, view in zip(self.params, self._views(self.flat)):
            param.data = view
        flat_slots = {name: torch.cat(self._pieces(tensors)) for name, tensors in binding.slots.items()}
        binding.adopt({name: self._views(tensor) for name, tensor in flat_slots.items()})
        self.slots = {name: [tensor] for name, tensor in flat_slots.items()}
        self._places = [p.data_ptr() for p in self.params]
        self._grad = torch.empty_like(self.flat)

    def _pieces(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return tensors in one dimension each, in the order in which the parameter lies in memory."""
        return [(t if order is None else t.permute(order)).reshape(-1) for t, order in zip(tensors, self.orders)]

    def _views(self, flat: Tensor) -> list[Tensor]:
        views = []
        for part, param, order in zip(torch.split(flat, self.sizes), self.params, self.orders):
            if order is None:
                views.append(part.view(param.shape))
            else:
                back = sorted(range(len(order)), key=order.__getitem__)
                views.append(part.view([param.shape[axis] for axis in order]).permute(back))
        return views

    def valid(self) -> bool:
        """Tell whether parameters and slots are still views of the flat tensors."""
        held = self.optimizer.state[self.params[0]]
        return (
            self.slot_names == self.optimizer.slot_names
            and self._places == [p.data_ptr() for p in self.params]
            and all(name in held and held[name].data_ptr() == t[0].data_ptr() for name, t in self.slots.items())
        )

    def gather(self, grads: Sequence[Tensor | None]) -> Gradients:
        """Return gradients, in the order of `params`, in the form in which `step` wants them: one tensor.

        Args:
            grads: `None` for a parameter that is to stay as it is; the others are stepped as they lie then.
        """
        reached = [g for g in grads if g is not None]
        if len(reached) < len(grads):
            return gather_reached(self.optimizer, self.params, grads)
        return [(self, [torch.cat(self._pieces(reached), out=None if CAPTURE.active else self._grad)])]

    def places(self) -> tuple[Tensors, Gradients]:
        """Return tensors to write gradients into, one a parameter, and what a step then takes."""
        return self._views(self._grad), [(self, [self._grad])]

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Make one step."""
        self.optimizer.update([self.flat], grads, self.slots, scalars)


def memory_order(tensor: Tensor) -> list[int]:
    """Return the axes from the one with the widest steps in memory to the one with the narrowest."""
    strides = tensor.stride()
    return sorted(range(tensor.dim()), key=lambda axis: (-strides[axis], axis))


def choose_group(optimizer: Optimizer, binding: Binding, flat_allowed: bool) -> ListGroup | FlatGroup:
    """Return the group that suits the optimizer and the size and kind of the parameters.

    Args:
        optimizer: The optimizer.
        binding: Its slots for the parameters.
        flat_allowed: Whether they may move into one flat tensor.
    """
    params = binding.params
    kinds = {(p.dtype, p.device, type(p)) for p in params}
    flat = (
        flat_allowed
        and len(params) > 1
        and sum(p.numel() for p in params) <= FLAT_ELEMENTS
        and not optimizer.needs_each
        and not optimizer.clipping.needs_each
        and len(kinds) == 1
        and type(params[0]) is nn.Parameter
        and all(p.permute(memory_order(p)).is_contiguous() for p in params)
    )
    return FlatGroup(optimizer, binding) if flat else ListGroup(optimizer, params)
