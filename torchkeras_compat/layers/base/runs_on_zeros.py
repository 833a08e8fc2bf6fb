"""The shape of a layer's output where the layer does not say it: found by running it on zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ..._core import settings
from ..._core.border import nameless
from ..._core.ownership import is_ours
from ..._core.runs import on_recorded_zeros, with_values
from ..._core.shape_runs import on_two_sizes, sizes_in
from ..._core.strings import STRING, StringTensor, is_string_type
from ..._core.symbolic import (
    SymbolicTensor,
    is_symbolic,
    replaced,
    symbols_like,
)
from ..._core.tree import Tree, map_shapes, map_tree
from .symbols_in_code import differentiates, functions_of, symbols_in_code


@nameless
class RunsOnZeros(nn.Module):
    """The part of a layer that finds what it would give."""

    name: str
    dtype_policy: Any
    _takes_integers: bool
    _takes_strings: bool
    _wants_mask: ClassVar[bool]

    def _output_by_running(
        self, inputs: Tree, args: Sequence[Any] = (), call_arguments: Mapping[str, Any] = MappingProxyType({})
    ) -> Tree:
        """Return symbolic tensors for the output, found by running on zeros of two sizes for each unknown axis.

        Args:
            inputs: Symbolic tensors or shapes, one or a tree.
            args: Further arguments of the call, symbolic tensors among them perhaps.
            call_arguments: Likewise, by name.
        """
        if not is_symbolic(inputs):
            return self._output_for_shapes(inputs, args, call_arguments)
        device = next((p.device for p in nn.Module.parameters(self)), settings.default_device())
        beside = self._symbols_in_code()
        own = (*nn.Module.buffers(self), *(() if is_ours(type(self)) else nn.Module.parameters(self)))
        before = [(t, t.detach().clone()) for t in own]

        def run(unknown: int) -> Tree:
            zeros = Zeros(unknown, device, settings.torch_dtype("int64") if self._takes_integers else None)
            x, more, options = zeros.instead_of(inputs), zeros.instead_of(args), zeros.instead_of(call_arguments)
            around = with_values({id(one): zeros._zeros(one) for one in beside}) if beside else nullcontext()
            recorded = on_recorded_zeros(x) if self._asks_for_gradients() else torch.no_grad()
            with recorded, around:
                output = self._run_on_zeros(x, more, options)
                for tensor, value in before:  # a user's call may update what it holds
                    tensor.copy_(value)
            return output

        return symbols_like(*on_two_sizes(run, sizes=self._sizes_in_code), f"{self.name}/output")

    def _output_for_shapes(self, shapes: Tree, args: Sequence[Any], call_arguments: Mapping[str, Any]) -> Tree:
        kind = "int64" if self._takes_integers else self.dtype_policy.compute_dtype
        try:
            return self._output_by_running(_symbols(shapes, kind), args, call_arguments)
        except TypeError:
            if not self._takes_strings:
                raise
        return self._output_by_running(_symbols(shapes, STRING), args, call_arguments)  # shapes do not tell them apart

    def _symbols_in_code(self) -> list[SymbolicTensor]:
        """Return the symbolic tensors that a user's methods name."""
        return symbols_in_code(self._functions_of_users())

    def _asks_for_gradients(self) -> bool:
        """Tell whether a user's methods ask for gradients by tensors of the graph."""
        return differentiates(self._functions_of_users())

    def _functions_of_users(self) -> list[Any]:
        """Return the functions that a user wrote for the layer."""
        return [] if is_ours(type(self)) else functions_of(self)

    def _sizes_in_code(self) -> set[int]:
        """Return the sizes that a user's call may ask for, such as `self.batch_size`."""
        return sizes_in([value for value in vars(self).values() if isinstance(value, (int, list, tuple))])

    def _run_on_zeros(self, zeros: Tree, args: Sequence[Any], call_arguments: dict[str, Any]) -> Any:
        options = {"training": False, **call_arguments}
        if not self._wants_mask or "mask" in options:
            return self(zeros, *args, **options)
        try:
            return self(zeros, *args, **options)
        except Exception as without_mask:
            valid = map_tree(lambda x: torch.ones(x.shape[: min(x.dim(), 2)], dtype=torch.bool, device=x.device), zeros)
            try:
                return self(zeros, *args, **options, mask=valid)
            except Exception:
                raise without_mask from None


def _symbols(shapes: Tree, kind: str) -> Tree:
    return map_shapes(lambda shape: SymbolicTensor(shape, kind), shapes)


class Zeros:
    """Zeros in the place of symbolic tensors.

    Args:
        unknown: The size of axes that are not known.
        device: Where the zeros are.
        kind: Their type; that of the symbolic tensor if `None`.
    """

    def __init__(self, unknown: int, device: torch.device, kind: torch.dtype | None) -> None:
        self.unknown, self.device, self.kind = unknown, device, kind

    def _zeros(self, symbol: SymbolicTensor) -> Tensor:
        sizes = [self.unknown if n is None else n for n in symbol.shape]
        if is_string_type(symbol.dtype):
            return StringTensor.of(np.full(sizes, b"")).to(self.device)
        return torch.zeros(sizes, dtype=self.kind or settings.torch_dtype(symbol.dtype), device=self.device)

    def instead_of(self, tree: Any) -> Any:
        """Return a tree of anything with zeros for the symbolic tensors in it."""
        return replaced(tree, self._zeros)
