"""What an optimizer keeps for each parameter, and the parameters that it steps together."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from .._core.graph_capture import CAPTURE
from .._core.weights import IDENTITY, Codec, Weight
from .foreach import Scalar, Tensors, joined_positions

Slots = dict[str, Tensors]
Scalars = Mapping[str, Scalar]


class ParameterGroup(Protocol):
    """Parameters that are stepped together."""

    @property
    def params(self) -> Tensors:
        """The parameters."""

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Make one step from gradients that are reduced and clipped, in the form that the group gave them."""


# What one step is made from: each group with its gradients.
Gradients = list[tuple[ParameterGroup, Tensors]]


class SlotOwner(Protocol):
    """What slots, bindings and groups need of their optimizer."""

    @property
    def elementwise(self) -> bool:
        """Whether a step treats each element by itself."""

    @property
    def parts(self) -> Mapping[Tensor, int]:
        """Parameter → a number that those of one weight have in common, for weights of several parameters."""

    @property
    def state(self) -> Mapping[Tensor, dict[str, Tensor]]:
        """The slots of each parameter that has some; asking for others gives an empty dictionary."""

    @property
    def slot_names(self) -> tuple[str, ...]:
        """The names of the slots of a weight."""

    def initial_slot(self, name: str, param: Tensor) -> Tensor:
        """Return a slot before the first step."""

    def slots_of(self, param: Tensor) -> dict[str, Tensor]:
        """Return the slots of a parameter, up to date."""

    def slots_of_each(self, params: Sequence[Tensor]) -> Slots:
        """Return slot name → one tensor for each parameter, up to date."""

    def update(self, params: Tensors, grads: Tensors, slots: Slots, scalars: Scalars) -> None:
        """Make one step of the formula."""

    def step_groups(self, gradients: Gradients, scalars: Scalars | None = None, clip: bool = True) -> None:
        """Make one whole step."""


class ListGroup:
    """Parameters as they are; the optimizer's kernels go over lists of tensors.

    Args:
        optimizer: The optimizer.
        params: The parameters, each once.
    """

    def __init__(self, optimizer: SlotOwner, params: Sequence[Tensor]) -> None:
        self.optimizer = optimizer
        self.params = list(params)
        self.slots = optimizer.slots_of_each(self.params)
        self.slot_names = tuple(self.slots)

    def valid(self) -> bool:
        """Tell whether the slots are still those of the optimizer, and beside the parameters."""
        state = self.optimizer.state
        return self.slot_names == self.optimizer.slot_names and all(
            state[p].get(name) is tensor and (tensor.dtype, tensor.device) == (p.dtype, p.device)
            for name, held in self.slots.items()
            for p, tensor in zip(self.params, held)
        )

    def gather(self, grads: Sequence[Tensor | None]) -> Gradients:
        """Return gradients, in the order of `params`, in the form in which `step` wants them.

        Args:
            grads: `None` for a parameter that is to stay as it is.
        """
        reached = [g for g in grads if g is not None]
        if len(reached) < len(grads):
            return gather_reached(self.optimizer, self.params, grads)
        return [(self, reached)]

    def places(self) -> tuple[Tensors, Gradients]:
        """Return tensors to write gradients into, one a parameter, and what a step then takes."""
        grads = [torch.empty_like(p, requires_grad=False) for p in self.params]
        return grads, [(self, grads)]

    def step(self, grads: Tensors, scalars: Scalars) -> None:
        """Make one step."""
        if not CAPTURE.traced:
            self.optimizer.update(self.params, grads, self.slots, scalars)
            return
        # A compiler joins what torch's kernels over lists would hide from it.
        for part in joined_positions(self.params, {} if self.optimizer.elementwise else self.optimizer.parts):
            slots = {name: [held[i] for i in part] for name, held in self.slots.items()}
            self.optimizer.update([self.params[i] for i in part], [grads[i] for i in part], slots, scalars)


def gather_reached(optimizer: SlotOwner, params: Sequence[Tensor], grads: Sequence[Tensor | None]) -> Gradients:
    """Return the gradients that there are, with a group of the parameters that have one."""
    reached = [(param, grad) for param, grad in zip(params, grads) if grad is not None]
    if not reached:
        return []
    return [(ListGroup(optimizer, [param for param, _ in reached]), [grad for _, grad in reached])]


class Binding:
    """An optimizer's slots for the parameters of one model.

    Attributes:
        optimizer: Whose they are.
        names: The names of the parameters.
        params: The parameters, each once.
        codecs: Parameter → the way to Keras's layout, where one was given.
        constrained: The weights among them that have a constraint.
    """

    def __init__(
        self,
        optimizer: SlotOwner,
        named: Sequence[tuple[str, Tensor]],
        codecs: Mapping[str, Codec],
        constrained: Sequence[Weight] = (),
    ) -> None:
        self.optimizer, self.constrained = optimizer, list(constrained)
        unique: dict[Tensor, str] = {}
        for name, param in named:
            unique.setdefault(param, name)
        self.names, self.params = list(unique.values()), list(unique)
        self.codecs = {param: codecs[name] for name, param in named if name in codecs}

    @property
    def slots(self) -> Slots:
        """Slot name → one tensor for each parameter."""
        return self.optimizer.slots_of_each(self.params)

    def adopt(self, slots: Mapping[str, Sequence[Tensor]]) -> None:
        """Let the given tensors, such as views of one flat tensor, be the slots from now on; values are copied in.

        Args:
            slots: Slot name → one tensor of each parameter's shape.
        """
        for name, tensors in slots.items():
            for param, tensor in zip(self.params, tensors):
                held = self.optimizer.slots_of(param)
                tensor.copy_(held[name])
                held[name] = tensor

    def step(self, grads: Sequence[Tensor | None]) -> None:
        """Make one step from gradients in the order of `params`; `None` leaves a parameter as it is."""
        self.optimizer.step_groups(gather_reached(self.optimizer, self.params, grads))

    def covers(self, other: Binding) -> bool:
        """Tell whether every parameter of `other` is one of these."""
        return set(other.params) <= set(self.params)


class SlotTable:
    """The slots of one optimizer, and the models it is bound to.

    Args:
        optimizer: The optimizer; the slots stand in its `state`, where torch has them.

    Attributes:
        bindings: One for each model.
        parts: Parameter → a number that those of one weight have in common, for weights of several parameters.
        wholes: The first parameter of such a weight → all of them, and the way to the weight in Keras's layout.
        paths: The first parameter of such a weight → its name.
    """

    def __init__(self, optimizer: SlotOwner) -> None:
        self.optimizer = optimizer
        self.bindings: list[Binding] = []
        self.parts: dict[Tensor, int] = {}
        self.wholes: dict[Tensor, tuple[tuple[Tensor, ...], Codec]] = {}
        self.paths: dict[Tensor, str] = {}

    def note_parts(self, table: Iterable[Weight]) -> None:
        """Remember which parameters are parts of one weight, whose gradient has one norm and whose slots are one."""
        for weight in table:
            if len(weight.attributes) > 1:
                params = weight.parameters
                self.parts.update(dict.fromkeys(params, id(params[0])))
                self.wholes[params[0]] = (params, weight.codec)
                self.paths[params[0]] = weight.path

    def of(self, param: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        """Return the slots of a parameter: made at the first call, and beside it after `model.double()` or `.to()`.

        Args:
            param: The parameter.
            names: The slots that it needs; there may be more from before.
        """
        held = self.optimizer.state[param]
        for name in names:
            slot = held.get(name)
            if slot is None:
                held[name] = self.optimizer.initial_slot(name, param)
            else:
                kind = param.dtype if slot.is_floating_point() else slot.dtype
                if (slot.device, slot.dtype) != (param.device, kind):
                    held[name] = slot.to(param.device, kind)
        return held

    def bind(
        self, named: Sequence[tuple[str, Tensor]], codecs: Mapping[str, Codec], constrained: Sequence[Weight] = ()
    ) -> Binding:
        """Return the binding of a model's parameters, and remember it unless another covers it.

        Args:
            named: Names and parameters.
            codecs: Name → the way between a parameter and Keras's layout.
            constrained: The weights among them that have a constraint.
        """
        binding = Binding(self.optimizer, named, codecs, constrained)
        if not any(other.covers(binding) for other in self.bindings):
            self.bindings = [other for other in self.bindings if not binding.covers(other)] + [binding]
        return binding

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Write slots that are replaced in the block into the tensors that stood there: others may hold those."""
        before = {param: dict(slots) for param, slots in self.optimizer.state.items()}
        yield
        for param, slots in before.items():
            held = self.optimizer.state[param]
            for name, slot in slots.items():
                if name in held:
                    slot.copy_(held[name])
                    held[name] = slot

    def codec(self, param: Tensor) -> Codec | None:
        """Return the way between a parameter and Keras's layout, where one is known."""
        return next((binding.codecs[param] for binding in self.bindings if param in binding.codecs), None)

    def weight_name(self, param: Tensor) -> str:
        """Return the name of the weight that begins with this parameter, without the `:0` at its end."""
        bound = (name for binding in self.bindings for name, p in zip(binding.names, binding.params) if p is param)
        path = self.paths.get(param) or next(bound, "variable")
        return path.partition("#")[0].removesuffix(":0")

    def whole(self, param: Tensor) -> tuple[tuple[Tensor, ...], Codec] | None:
        """Return the parameters of the weight that begins with this one, and their way to Keras's layout.

        `None` is for one of the parameters that follow.
        """
        if param in self.wholes:
            return self.wholes[param]
        return None if param in self.parts else ((param,), self.codec(param) or IDENTITY)


def name_parameters(table: Iterable[Weight], known: Collection[Tensor]) -> tuple[dict[str, Tensor], dict[str, Codec]]:
    """Return name → parameter for weights as an optimizer is bound to them, and name → codec.

    Args:
        table: The weights.
        known: Parameters to leave out.
    """
    named: dict[str, Tensor] = {}
    codecs: dict[str, Codec] = {}
    seen = set(known)
    for weight in table:
        alone = len(weight.attributes) == 1
        for attribute, parameter in zip(weight.attributes, weight.parameters):
            if parameter not in seen:
                seen.add(parameter)
                name = _free(weight.path if alone else f"{weight.path}/{attribute}", named)
                named[name] = parameter
                if alone:
                    codecs[name] = weight.codec
    return named, codecs


def _free(path: str, names: Container[str]) -> str:
    """Return a name for a parameter: its path, numbered where weights of two layers of one name share it."""
    return next(n for n in itertools.chain([path], (f"{path}#{i}" for i in itertools.count(2))) if n not in names)
