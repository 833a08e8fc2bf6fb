"""`ActivatedLayer`: a layer that ends in an activation function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ... import activations
from ..._core.precision import computing_in
from ..._core.user_tensors import calling
from .layer import Layer
from .traits import ROW_WISE


class ActivatedLayer(Layer):
    """A layer that ends in an activation function, so that a final softmax or sigmoid can be fused with the loss.

    Subclasses compute `pre_activation(inputs)` and hold the function in `activation`.
    """

    _class_traits = ROW_WISE

    activation: Callable[[Tensor], Tensor]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "activation" and (value is None or isinstance(value, str)):  # `layer.activation = None` is linear
            value = activations.get(value)
        super().__setattr__(name, value)

    def _finish_build(self, shape: Any, device: torch.device | None = None) -> None:
        if isinstance(self.activation, Layer):  # `activation=PReLU()`, which has weights
            self.activation._build_from(self.compute_output_shape(shape), device)
        super()._finish_build(shape, device)

    def pre_activation(self, inputs: Tensor) -> Tensor:
        """Return what the activation function is applied to."""
        raise NotImplementedError(f"{type(self).__name__} must define pre_activation(inputs).")

    def _pre_activation_cast(self, inputs: Tensor, **call_arguments: Any) -> Tensor:
        """Return what the activation function is applied to, where input or weights come in another type."""
        with computing_in(self._kind):
            return self.pre_activation(self._cast_inputs(inputs), **call_arguments)

    def call(self, inputs: Tensor) -> Tensor:
        """Return `activation(pre_activation(inputs))`."""
        return calling(self.activation)(self.pre_activation(inputs))  # type: ignore[no-any-return]
