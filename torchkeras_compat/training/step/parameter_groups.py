"""How parameters lie in memory while an optimizer steps them: one flat tensor for small models, else lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..._core.weights import Codec
from ...optimizers import Optimizer

FLAT_ELEMENTS = 1 << 17  # above this the copies into one gradient cost more than the calls they spare


class ListStorage:
    """Parameters as they are; the optimizer's kernels go over lists of tensors.

    Args:
        optimizer: The optimizer.
        named: Names and parameters.
        codecs: Name → the way to Keras's layout.
    """

    def __init__(self, optimizer: Optimizer, named: Mapping[str, Tensor], codecs: Mapping[str, Codec]) -> None:
        self.optimizer = optimizer
        self.params = list(named.values())
        self.binding = optimizer.bind(named.items(), codecs)
        self.slot_names = optimizer.slot_names
        self.slots = self.binding.slots

    def valid(self) -> bool:
        """Tell whether the slots are still those of the optimizer."""
        state = self.optimizer.state
        return self.slot_names == self.optimizer.slot_names and all(
            state[p].get(name) is tensor and (tensor.dtype, tensor.device) == (p.dtype, p.device)
            for name, held in self.slots.items()
            for p, tensor in zip(self.params, held)
        )

    def gathered(self, grads: Sequence[Tensor]) -> list[Tensor]:
        """Return gradients in the form in which `update` wants them."""
        return list(grads)

    def places(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return tensors to write gradients into, one a parameter, and what `update` then takes."""
        grads = [torch.empty_like(p, requires_grad=False) for p in self.params]
        return grads, grads

    def update(self, grads: list[Tensor], scalars: Mapping[str, Any]) -> None:
        """Make one step."""
        self.optimizer.update(self.params, grads, self.slots, scalars)

    def joined(self, grads: Sequence[Tensor]) -> list[Tensor]:
        """Return gradients in the form in which `update_each` wants them, in new memory."""
        return list(grads)

    def update_each(self, grads: list[Tensor], scalars: Mapping[str, Any]) -> None:
        """Make one step, tensor by tensor: a compiler joins what torch's kernels over lists would hide from it."""
        for i, (param, grad) in enumerate(zip(self.params, grads)):
            self.optimizer.update([param], [grad], {name: [held[i]] for name, held in self.slots.items()}, scalars)


class FlatStorage:
    """All parameters as views of one tensor, so that a step is a handful of kernels whatever their number.

    Args:
        optimizer: The optimizer; elementwise.
        named: Names and parameters, without gaps in memory, of one type and device.
        codecs: Name → the way to Keras's layout.
    """

    def __init__(self, optimizer: Optimizer, named: Mapping[str, Tensor], codecs: Mapping[str, Codec]) -> None:
        self.optimizer = optimizer
        self.params = list(named.values())
        self.binding = optimizer.bind(named.items(), codecs)
        self.slot_names = optimizer.slot_names
        self.sizes = [p.numel() for p in self.params]
        self.orders = [None if p.is_contiguous() else memory_order(p) for p in self.params]
        self.flat = torch.cat(self._pieces([p.detach() for p in self.params]))
        for param, view in zip(self.params, self._views(self.flat)):
            param.data = view
        flat_slots = {name: torch.cat(self._pieces(tensors)) for name, tensors in self.binding.slots.items()}
        self.binding.adopt({name: self._views(tensor) for name, tensor in flat_slots.items()})
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

    def gathered(self, grads: Sequence[Tensor]) -> list[Tensor]:
        """Return all gradients in one tensor."""
        return [torch.cat(self._pieces(grads), out=self._grad)]

    def places(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return tensors to write gradients into, one a parameter, and what `update` then takes."""
        return self._views(self._grad), [self._grad]

    def update(self, grads: list[Tensor], scalars: Mapping[str, Any]) -> None:
        """Make one step."""
        self.optimizer.update([self.flat], grads, self.slots, scalars)

    def joined(self, grads: Sequence[Tensor]) -> list[Tensor]:
        """Return all gradients in one new tensor."""
        return [torch.cat(self._pieces(grads))]

    def update_each(self, grads: list[Tensor], scalars: Mapping[str, Any]) -> None:
        """Make one step; there is one tensor."""
        self.update(grads, scalars)


Storage = ListStorage | FlatStorage


def memory_order(tensor: Tensor) -> list[int]:
    """Return the axes from the one with the widest steps in memory to the one with the narrowest."""
    strides = tensor.stride()
    return sorted(range(tensor.dim()), key=lambda axis: (-strides[axis], axis))


def choose_storage(
    optimizer: Optimizer, named: Mapping[str, Tensor], codecs: Mapping[str, Codec], flat_allowed: bool
) -> Storage:
    """Return the storage that suits the optimizer and the size and kind of the parameters."""
    params = list(named.values())
    kinds = {(p.dtype, p.device, type(p)) for p in params}
    flat = (
        flat_allowed
        and len(params) > 1
        and sum(p.numel() for p in params) <= FLAT_ELEMENTS
        and not optimizer.needs_each
        and "clipnorm" not in optimizer.clips
        and len(kinds) == 1
        and type(params[0]) is nn.Parameter
        and all(p.permute(memory_order(p)).is_contiguous() for p in params)
    )
    return (FlatStorage if flat else ListStorage)(optimizer, named, codecs)
