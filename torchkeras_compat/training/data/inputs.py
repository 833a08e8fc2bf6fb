"""Inputs as tensors of the model's types; sparse ones, and those in files, stay so until a batch needs them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core import devices
from ..._core.strings import StringTensor
from ..._core.tree import Tree, map_tree
from .convert import to_tensor
from .signature import ModelInput, Signature
from .sparse import SparseRows
from .stored import StoredRows

SMALL = (torch.uint8, torch.int8, torch.bool)  # cast batch by batch: in memory they stay small


def input_tensors(x: Tree, signature: Signature, read_device: bool = False) -> Tree:
    """Return inputs as the model takes them; those of a model that is not built yet build it.

    Args:
        x: The inputs.
        signature: What is known of the model.
        read_device: Whether indices that are on a device already may be read, which waits for it: once a call.
    """
    inputs = signature.inputs
    if inputs is None:
        return map_tree(lambda array: _input(array, None, 0, signature), x)
    if len(inputs) == 1:
        return _checked(_input(x, inputs[0], 0, signature), inputs[0], signature, read_device)
    tensors = (_input(array, slot, i, signature) for i, (array, slot) in enumerate(zip(x, inputs)))
    return [_checked(tensor, slot, signature, read_device) for tensor, slot in zip(tensors, inputs)]


def _checked(leaf: Any, slot: ModelInput, signature: Signature, read_device: bool) -> Any:
    """Return indices after a look at them, where a kernel of the device would not raise but end the process."""
    if not slot.index_checks or not isinstance(leaf, Tensor) or not devices.ends_by_assertion(signature.device):
        return leaf
    if read_device or devices.on_host(leaf):
        for check in slot.index_checks:
            check(leaf)
    return leaf


def build_by(x: Tree, signature: Signature) -> None:
    """Build a model whose inputs are not known, and so a user's, by the first sample: its outputs are known then."""
    model = signature.model
    if signature.inputs is None and model._waits_for_batch(signature.whole):
        first = map_tree(lambda array: typed(to_tensor(array[:1]), None, signature.dtype), x)
        # A step of the user's own may call the model on something else: then a fault shows where it does.
        with contextlib.suppress(Exception) if signature.whole else contextlib.nullcontext():
            model._build_by(map_tree(lambda tensor: tensor.to(signature.device), first))


def _input(array: Any, slot: ModelInput | None, index: int, signature: Signature) -> Any:
    def as_typed(values: Any) -> Tensor:
        return typed(to_tensor(values), slot, signature.dtype)

    def fitted(tensor: Tensor) -> Tensor:
        return tensor if slot is None else signature.model._fitted(tensor, index)

    if isinstance(array, (SparseRows, StoredRows)):
        return LazyLeaf(array, as_typed, fitted(as_typed(array[:1].dense())))
    return fitted(as_typed(array))


def typed(tensor: Tensor, slot: ModelInput | None, dtype: torch.dtype) -> Tensor:
    """Return an input in its type: indices as integers, small integers as they are until their batch, the rest cast."""
    if isinstance(tensor, StringTensor):
        return tensor
    if slot is None:
        return tensor.to(dtype) if tensor.is_floating_point() else tensor
    if slot.dtype is not None:
        return tensor.to(slot.dtype)
    if slot.takes_integers:
        return tensor if tensor.dtype in (torch.int32, torch.int64) else tensor.long()
    if tensor.dtype == dtype or tensor.dtype in SMALL:
        return tensor
    return tensor.to(dtype)


def inputs_on_device(x: Tree, signature: Signature) -> Tree:
    """Return the inputs of one batch as a model runs them: on its device, none sparse, small integers cast."""
    inputs = signature.inputs
    if inputs is None:
        return map_tree(lambda leaf: _on_device(leaf, None, signature), x)
    if len(inputs) == 1:
        return _on_device(x, inputs[0], signature)
    return [_on_device(leaf, slot, signature) for leaf, slot in zip(x, inputs)]


def _on_device(leaf: Tensor | LazyLeaf, slot: ModelInput | None, signature: Signature) -> Tensor:
    tensor = leaf[:] if isinstance(leaf, LazyLeaf) else leaf
    if tensor.device != signature.device:
        tensor = tensor.to(signature.device, non_blocking=True)
    wanted = signature.dtype if slot is None or slot.dtype is None else slot.dtype
    if slot is None or slot.takes_integers or tensor.dtype == wanted:
        return tensor
    return tensor.to(wanted)


class LazyLeaf:
    """Rows that are no tensor yet, sparse ones or those of a file: what is selected becomes one, never the whole.

    It has what a tensor has that a batch is cut from; like a tensor on the host.

    Args:
        rows: The rows.
        convert: Makes the tensor of some of them.
        first: That of the first row, in the shape that all get.
    """

    device = torch.device("cpu")

    def __init__(
        self, rows: SparseRows | StoredRows, convert: Callable[[np.ndarray[Any, Any]], Tensor], first: Tensor
    ) -> None:
        self._rows, self._convert = rows, convert
        self.dtype = first.dtype
        self.shape = torch.Size((len(rows), *first.shape[1:]))
        self._row_bytes = first.numel() * first.element_size()

    def __getitem__(self, rows: Any) -> Tensor:
        tensor = self._convert(self._rows[rows].dense())
        return tensor.reshape(len(tensor), *self.shape[1:])

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """Return rows by number."""
        return self[index.cpu().numpy()]

    def row_bytes(self) -> int:
        """Return how much memory a row takes as a tensor."""
        return self._row_bytes


def row_bytes(leaf: Tensor | LazyLeaf) -> int:
    """Return how much memory a row takes once it is a tensor."""
    if isinstance(leaf, LazyLeaf):
        return leaf.row_bytes()
    return leaf.element_size() * (leaf.numel() // max(1, leaf.shape[0]))
