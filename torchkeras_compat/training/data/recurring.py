"""Batches like the one before: what was learned of that makes them ready without another look at their kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ... import losses
from ..._core import devices
from ..._core.tree import Tree
from ...losses.checks import ValueRange
from .batch import Batch
from .signature import ModelInput, ModelOutput, Signature

COMMON_TYPES: Final = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"}


class RecurringLeaf(NamedTuple):
    """An array of each batch, and the tensor that is made of it.

    Attributes:
        kind: The class of the array, one of torch or one of numpy.
        dtype: Its type.
        shape: Its shape.
        source: Where it is, if it is torch's.
        ready_shape: The shape of the tensor.
        ready_dtype: Its type.
        device: Where it goes.
        values: What its values are where nothing is to be said of them; `None` where nobody looks.
    """

    kind: Any
    dtype: Any
    shape: tuple[int, ...]
    source: torch.device | None
    ready_shape: tuple[int, ...]
    ready_dtype: torch.dtype
    device: torch.device
    values: ValueRange | None

    @classmethod
    def learn(cls, array: Any, ready: Any, values: ValueRange | None) -> RecurringLeaf | None:
        """Return what an array and its tensor have shown; `None` where another may not be like it.

        Args:
            array: The array.
            ready: What it became.
            values: What values are expected of it.
        """
        kind = type(array)
        if type(ready) is not Tensor or kind not in (np.ndarray, Tensor) or _is_rare(array.dtype):
            return None
        source = array.device if kind is Tensor else None
        values = values if source is None or devices.on_host(array) else None
        shape = tuple(array.shape)
        return cls(kind, array.dtype, shape, source, tuple(ready.shape), ready.dtype, ready.device, values)

    def ready(self, array: Any, own: bool) -> Tensor | None:
        """Return an array as a tensor; `None` where it is of another kind, or its values are worth a word.

        Args:
            array: The array.
            own: Whether the tensor must have memory of its own.
        """
        if type(array) is not self.kind or array.dtype != self.dtype or array.shape != self.shape:
            return None
        if self.source is None:
            flags = array.flags
            if not (flags.writeable and flags.c_contiguous):
                return None
            tensor = torch.from_numpy(array)
        elif array.layout is torch.strided and array.device == self.source:
            tensor = array.detach() if array.requires_grad else array
        else:
            return None
        if self.values is not None and not self.values.holds(tensor):
            return None
        if tensor.dtype != self.ready_dtype or tensor.device != self.device:
            tensor = tensor.to(self.device, self.ready_dtype, non_blocking=True)
        elif own:
            tensor = tensor.clone()
        return tensor if self.ready_shape == self.shape else tensor.reshape(self.ready_shape)


class RecurringPart(NamedTuple):
    """The inputs, targets or weights of each batch.

    Attributes:
        kind: The class of the list or dictionary that they come in; `None` for one array.
        places: Where in it each of them is.
        size: How many items it has.
        leaves: The arrays.
    """

    kind: Any
    places: tuple[Any, ...]
    size: int
    leaves: tuple[RecurringLeaf, ...]

    @classmethod
    def learn(
        cls, value: Any, ready: Tree, slots: Sequence[ModelInput | ModelOutput] | None, targets: bool
    ) -> RecurringPart | None:
        """Return what the arrays of a batch have shown; `None` where others may not be like them.

        Args:
            value: What the source gave.
            ready: The tensors.
            slots: The inputs or outputs of the model that they are for.
            targets: Whether they are targets.
        """
        places: Sequence[Any] = ()
        arrays, tensors = [value], [ready]
        if isinstance(ready, list) and slots is not None:
            named = isinstance(value, Mapping)
            if type(value) not in (dict, list, tuple) or (named and any(slot.name not in value for slot in slots)):
                return None
            places = [slot.name for slot in slots] if named else range(len(slots))
            arrays, tensors = [value[place] for place in places], ready
        leaves: list[RecurringLeaf] = []
        for i, (array, tensor) in enumerate(zip(arrays, tensors)):
            leaf = RecurringLeaf.learn(array, tensor, _expected(slots[i]) if targets and slots is not None else None)
            if leaf is None:
                return None
            leaves.append(leaf)
        return cls(type(value) if places else None, tuple(places), len(value), tuple(leaves))

    def ready(self, value: Any, own: bool) -> Tree:
        """Return tensors, one or a list; `None` where something is not as it was.

        Args:
            value: What the source gave.
            own: Whether the tensors must have memory of their own.
        """
        if self.kind is None:
            return self.leaves[0].ready(value, own)
        if type(value) is not self.kind or len(value) != self.size:
            return None
        tensors: list[Tensor] = []
        for place, leaf in zip(self.places, self.leaves):
            tensor = leaf.ready(value.get(place) if self.kind is dict else value[place], own)
            if tensor is None:
                return None
            tensors.append(tensor)
        return tensors


class RecurringBatch(NamedTuple):
    """The kind of each batch.

    Attributes:
        outputs: The outputs of the model that it was learned for.
        parts: x, y and sample weights; `None` for what is not there.
        rows: How many samples there are.
    """

    outputs: Sequence[ModelOutput] | None
    parts: tuple[RecurringPart | None, ...]
    rows: int

    @classmethod
    def learn(
        cls, arrays: Sequence[Any], batch: Batch, signature: Signature, outputs: Sequence[ModelOutput] | None
    ) -> RecurringBatch | None:
        """Return what a batch has shown; `None` where others may not be like it.

        Args:
            arrays: x, y and sample weights, as the source gave them.
            batch: What they became.
            signature: What is known of the model.
            outputs: The outputs that targets and weights are for.
        """
        inputs = signature.inputs
        if devices.ends_by_assertion(signature.device) and any(slot.index_checks for slot in inputs or ()):
            return None  # each index is looked at there
        slots = (inputs, outputs, outputs)
        parts: list[RecurringPart | None] = []
        for i, (value, ready) in enumerate(zip(arrays, batch)):
            part = None if value is None else RecurringPart.learn(value, ready, slots[i], targets=i == 1)
            if part is None and value is not None:
                return None
            parts.append(part)
        return cls(outputs, tuple(parts), batch.size)

    def ready(self, arrays: Sequence[Any], own: Sequence[bool], outputs: Sequence[ModelOutput] | None) -> Batch | None:
        """Return a batch of this kind; `None` if it is of another.

        Args:
            arrays: x, y and sample weights, as the source gave them.
            own: Whether they must have memory of their own.
            outputs: The outputs of the model as they are now.
        """
        if outputs is not self.outputs:
            return None
        tensors: list[Tree] = []
        for part, value, of_its_own in zip(self.parts, arrays, own):
            tensor = None if part is None or value is None else part.ready(value, of_its_own)
            if tensor is None and not (part is None and value is None):
                return None
            tensors.append(tensor)
        return Batch(tensors[0], tensors[1], tensors[2], self.rows)


def _is_rare(dtype: Any) -> bool:
    """Tell whether torch has not all that is done with numbers for those of a type, of numpy's or its own."""
    return str(dtype).rpartition(".")[2] not in COMMON_TYPES


def _expected(slot: Any) -> ValueRange | None:
    """Return the values that targets of an output have where its loss has nothing to say of them."""
    if slot.loss is None or slot.shape is None:
        return None
    return losses.checks.expected_range(slot.loss, slot.shape, slot.name)
