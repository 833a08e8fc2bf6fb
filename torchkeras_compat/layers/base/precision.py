"""The policy of a layer: what it computes in, what it keeps its weights in, and the casts between the two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..._core import settings
from ..._core.border import nameless
from ..._core.precision import cast_floats, cast_when_read
from ..._core.symbolic import SymbolicTensor
from ..._core.tree import Tree, flatten, is_branch, map_tree
from ...mixed_precision.policy import Policy


@nameless
class Precision(nn.Module):
    """The types that a layer works in.

    `_casts` says that inputs may come in another type than the layer computes in, or weights be kept in another: under
    a mixed policy, and behind or inside layers that compute in another type.  Everything else goes without a cast, and
    without a question at each run.
    """

    dtype: str
    _sublayers: Any
    _casts: bool = False
    _autocast: bool = True  # whether inputs of floats are cast
    _policy: Policy | None = None
    _kind: torch.dtype  # what it computes in
    _reads_cast: bool = False  # whether the weights are kept in another type than they read in while the layer runs
    _weights_read_cast: ClassVar[bool] = True  # whether weights are cast, or the layer does so itself
    _keeps_integers: bool = False  # whether integers come out in their type: they are moved, not computed with
    _casts_integers: bool = False  # whether integers are cast as floats are, for the layer computes with them

    def _set_policy(self, policy: Policy, autocast: bool) -> None:
        """Take on a policy, before weights are made."""
        self._policy = policy
        self.dtype = policy.variable_dtype
        self._kind = settings.torch_dtype(policy.compute_dtype)
        self._autocast = autocast and type(self)._autocast
        if policy.is_mixed:
            self._prepare_to_cast()
            self._reads_cast = self._weights_read_cast
        if self._reads_cast:
            cast_when_read(self)

    @property
    def dtype_policy(self) -> Policy:
        """The policy: what the layer computes in, and what it keeps its weights in."""
        return Policy(self.dtype) if self._policy is None else self._policy

    @property
    def compute_dtype(self) -> str:
        """The type that the layer computes in."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of the weights; `dtype` is the same."""
        return self.dtype

    def _dtype_in_config(self) -> Any:
        """Return what a configuration has for `dtype`: a name where that says it all, or the policy."""
        policy = self.dtype_policy
        return {"class_name": "Policy", "config": policy.get_config()} if policy.is_mixed else self.dtype

    def _computes_mixed(self) -> bool:
        """Tell whether this layer, or one inside, computes under a mixed policy."""
        return any(m.dtype_policy.is_mixed for m in nn.Module.modules(self) if isinstance(m, Precision))

    def _output_dtype(self, input_dtype: str) -> str:
        """Return the type of what the layer makes of inputs of a type."""
        return input_dtype if self._keeps_integers and not settings.is_float(input_dtype) else self.compute_dtype

    def _as_numbers(self, tensor: Any) -> Any:
        """Return a tensor of integers in the type that the layer computes in, where it computes with them."""
        if self._casts_integers and isinstance(tensor, Tensor) and not tensor.is_floating_point():
            return tensor.to(self._kind)
        return tensor

    def _cast_inputs(self, inputs: Tree) -> Tree:
        """Return inputs with floats, and what is computed with, in the type that the layer computes in."""
        if self._casts_integers:
            inputs = map_tree(self._as_numbers, inputs) if is_branch(inputs) else self._as_numbers(inputs)
        if not self._autocast:
            return inputs
        if not is_branch(inputs):
            return cast_floats(inputs, self._kind)
        return map_tree(lambda leaf: cast_floats(leaf, self._kind), inputs)

    def _expect_types(self, inputs: Tree) -> None:
        """Note where symbolic inputs come in another type than the layer computes in."""
        kinds = {leaf.dtype for leaf in flatten(inputs) if isinstance(leaf, SymbolicTensor)} - {self.compute_dtype}
        if any(self._casts_integers or "float" in kind for kind in kinds):
            self._prepare_to_cast()

    def _prepare_to_cast(self) -> None:
        """Cast inputs from now on."""
        self._casts = True

    def _cast_parts(self) -> None:
        """Let the torch modules of a layer read cast, and layers inside cast where they compute in another type."""
        if self._reads_cast:
            for module in _torch_modules(self):
                cast_when_read(module)
        for layer in self._sublayers():
            if layer.compute_dtype != self.compute_dtype:
                layer._prepare_to_cast()


def _torch_modules(layer: nn.Module) -> Iterator[nn.Module]:
    """Yield the modules of torch inside a layer, and not those of layers inside it."""
    for module in layer._modules.values():
        if module is not None and not isinstance(module, Precision):
            yield module
            yield from _torch_modules(module)
