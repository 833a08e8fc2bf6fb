"""The state of an optimizer, in Keras's order and in torch's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._core.errors import show
from .._core.weights import Codec
from .foreach import Tensors
from .sparse_rows import RowUpdates


class VariableList(list[Any]):
    """A list that may be called, because `optimizer.variables` was a method once."""

    def __call__(self) -> VariableList:
        """Return the list."""
        return self


_NOT_PICKLED = {
    "_zero_grad_profile_name",
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
}


class Stored(RowUpdates):
    """The part of `Optimizer` that gives its state away and takes it back."""

    @property
    def weights(self) -> VariableList:
        """The counter and the slots, in the order of Keras's files."""
        return VariableList(self._stored())

    variables = weights

    def _file_groups(self) -> tuple[tuple[str, ...], ...]:
        averages: tuple[tuple[str, ...], ...] = (("average",),) if self.use_ema else ()
        return averages + self.slot_groups

    def _idle_slot(self, name: str, param: Tensor) -> Tensor:
        """Return what a Keras file holds for a slot that is not in use."""
        return torch.zeros_like(param)

    def _extra_state(self) -> list[np.ndarray[Any, Any]]:
        return []

    def _set_extra_state(self, values: Sequence[Any]) -> None:
        return None

    def _order(self) -> list[tuple[str, Tensor]]:
        """Return (slot, parameter) in the order of Keras's files."""
        params = self.param_groups[0]["params"]
        weight_by_weight = self._rules.interleaved_slots or self.always_interleaved
        order: list[tuple[str, Tensor]] = []
        for group in self._file_groups():
            if weight_by_weight:
                order += [(name, p) for p in params for name in group]
            else:
                order += [(name, p) for name in group for p in params]
        return [(name, p) for name, p in order if self._has_slot(name, p)]

    def _has_slot(self, name: str, param: Tensor) -> bool:
        return True

    def _codec(self, param: Tensor) -> Codec | None:
        return next((b.codecs[id(param)] for b in self._bindings if id(param) in b.codecs), None)

    def _settle(self) -> None:
        """Have rows whose decay is pending brought up to date before slots are read or replaced."""
        for account in self._pending_decay.values():
            account.apply()
        for settle in self._before_change:
            settle()

    def _stored(self) -> list[Any]:
        self._settle()
        values: list[Any] = [self.iterations, *self._extra_state()]
        for name, param in self._order():
            slot = self.slots_of(param).get(name)
            values.append(self._idle_slot(name, param) if slot is None else slot)
        return values

    @torch.no_grad()
    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return the counter and the slots as arrays, in Keras's order and, where a codec was bound, layout."""
        self._settle()
        values = [np.asarray(int(self._iterations), np.int64), *self._extra_state()]
        for name, param in self._order():
            slot = self.slots_of(param).get(name)
            slot = self._idle_slot(name, param) if slot is None else slot
            codec = self._codec(param) if slot.shape == param.shape else None
            seen = (codec.read(slot) if codec else slot).detach().cpu()
            values.append((seen.float() if seen.dtype == torch.bfloat16 else seen).numpy().copy())
        return values

    @torch.no_grad()
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the counter and the slots from arrays in the order of `get_weights`.

        Raises:
            ValueError: Their number or one of their shapes is wrong; nothing is changed then.
        """
        extra = len(self._extra_state())
        order = self._order()
        weights = list(weights)[: 1 + extra + len(order)] if self._surplus(len(weights), order) else list(weights)
        if len(weights) == extra + len(order) and len(order):  # files of Keras before 2.3 have no counter
            weights = [0, *weights]
        if len(weights) != 1 + extra + len(order):
            raise ValueError(f"{self.name}: set_weights needs {1 + extra + len(order)} arrays; got {len(weights)}.")
        self._settle()
        writes: list[tuple[Tensor, Tensor]] = []
        for (name, param), value in zip(order, weights[1 + extra :]):
            held = self.slots_of(param).get(name)
            if held is None:
                continue
            codec = self._codec(param) if held.shape == param.shape else None
            value = torch.as_tensor(np.array(value)) if not isinstance(value, Tensor) else value
            written = codec.write(value)[0] if codec else value
            if written.shape != held.shape:
                raise ValueError(f"{self.name}: slot {name!r} has shape {tuple(held.shape)}; got {show(value)}.")
            writes.append((held, written))
        self._iterations = int(np.asarray(weights[0]))
        self._set_extra_state(weights[1 : 1 + extra])
        for held, written in writes:
            held.copy_(written)

    def _surplus(self, count: int, order: list[tuple[str, Tensor]]) -> bool:
        return False

    def state_dict(self) -> dict[str, Any]:
        """Return torch's state dictionary, with the counter."""
        self._settle()
        return {**super().state_dict(), "iterations": self._iterations}

    @torch.no_grad()
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what `state_dict` returned; slots are written into, not replaced."""
        self._settle()
        before = {id(p): dict(self.state[p]) for p in self.param_groups[0]["params"] if p in self.state}
        given = {key: state_dict[key] for key in ("state", "param_groups")}
        super().load_state_dict(given)
        for param in self.param_groups[0]["params"]:
            for name, slot in before.get(id(param), {}).items():
                if name in self.state[param]:
                    slot.copy_(self.state[param][name])
                    self.state[param][name] = slot
        self._iterations = int(state_dict.get("iterations", self._iterations))

    def __getstate__(self) -> dict[str, Any]:
        self._settle()
        hooks = {key: value for key, value in self.__dict__.items() if key not in _NOT_PICKLED}
        return {
            **hooks,
            "_before_change": [],
            "_pending_decay": {},
            "_undecayed": [p for p in self._all() if id(p) in self._undecayed],
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if "_undecayed" in state:
            state["_undecayed"] = {id(p) for p in state["_undecayed"]}
        super().__setstate__(state)

    def _all(self) -> Tensors:
        return [p for group in self.param_groups for p in group["params"]]
