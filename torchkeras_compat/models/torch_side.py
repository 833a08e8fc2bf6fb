"""What torch users do with a model as with an `nn.Sequential`: its parameters, its state, its layers by number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from .._core.border import nameless
from .._core.config import is_ours
from ..layers.base import Layer
from ..layers.core import InputLayer
from ..layers.torch_module import TorchModuleWrapper


@nameless
class TorchSide(Layer):
    """The part of a chain of layers that answers as an `nn.Sequential` does."""

    _chain: list[Layer]

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Return the parameters.

        Args:
            recurse: Whether those of the layers are among them.

        Raises:
            RuntimeError: The model is not built yet, and layers have their weights still to make.
        """
        self._refuse_unbuilt("parameters()")
        return super().parameters(recurse)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Take over the parameters and buffers of `state_dict`, as torch does.

        Args:
            state_dict: What `state_dict()` returned.
            strict: Whether the names must be the same.
            assign: Whether the tensors themselves are taken.

        Raises:
            RuntimeError: The model is not built yet, or the names or shapes differ.
        """
        self._refuse_unbuilt("load_state_dict(…)")
        return super().load_state_dict(state_dict, strict, assign)

    def _refuse_unbuilt(self, call: str) -> None:
        if self._has_weights_to_make():
            raise RuntimeError(
                f"{self}.{call}: the model is not built, and its layers have no parameters yet; give the first layer "
                f"input_shape=(…), or call model.build((None, …)), first."
            )

    def _has_weights_to_make(self) -> bool:
        for layer in () if self.built else self._chain:
            if isinstance(layer, TorchSide):
                if layer._has_weights_to_make():
                    return True
            elif not layer.built and type(layer).build is not Layer.build and not isinstance(layer, TorchModuleWrapper):
                return True
        return False

    def __getitem__(self, index: Any) -> Any:
        """Return a layer by its place, or a model of the layers of a slice, which share their weights with this one."""
        if not isinstance(index, slice):
            if not hasattr(index, "__index__"):
                raise TypeError(f"{self}[{index!r}]: an integer or a slice is expected; write get_layer({index!r}).")
            if not -len(self._chain) <= index < len(self._chain):
                raise IndexError(f"{self}[{index}]: the model has {len(self._chain)} layers.")
            return self._chain[index]
        layers = self._chain[index]
        ours = next(cls for cls in type(self).__mro__ if is_ours(cls))  # a user's constructor may want arguments
        part = ours()
        if layers and layers[0]._built_shape is not None:
            part.add(InputLayer(batch_input_shape=layers[0]._built_shape))
        for layer in layers:
            calls = list(layer._nodes)
            part.add(layer)
            layer._nodes[:] = calls  # `layer.output` stays that of this model
        return part

    def __iter__(self) -> Iterator[Layer]:
        return iter(list(self._chain))

    def __str__(self) -> str:
        return repr(self)

    def __len__(self) -> int:
        return len(self._chain)

    def __bool__(self) -> bool:
        return True
