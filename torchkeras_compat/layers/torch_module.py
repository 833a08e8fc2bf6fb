"""Any `torch.nn.Module` as a layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .._core import registry, settings
from .._core.errors import argument_error
from .._core.user_tensors import may_write
from .base import Layer, Traits

CHANNELS_FIRST: tuple[type[nn.Module], ...] = (
    nn.modules.conv._ConvNd,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.modules.instancenorm._InstanceNorm,
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.GroupNorm,
)
# The layer of ours that does the same, named in the refusal.
COUNTERPARTS = {
    nn.modules.conv._ConvNd: "layers.Conv1D/Conv2D",
    nn.modules.pooling._MaxPoolNd: "layers.MaxPooling1D/MaxPooling2D",
    nn.modules.pooling._AvgPoolNd: "layers.AveragePooling1D/AveragePooling2D",
    nn.modules.batchnorm._BatchNorm: "layers.BatchNormalization",
}


@registry.register("layer")
class TorchModuleWrapper(Layer):
    """A `torch.nn.Module` in the list of a Sequential; modules given as they are get one of these.

    Args:
        module: The module.
        output_index: Which item of a returned tuple is the output.
        channels_first: Whether to give the module the channels on axis 1 and take them back to the end.
        name: The layer's name.
        kwargs: The arguments of every layer.

    Shape:
        Input and output: what the module takes and gives; with `channels_first`, channels last outside.

    Raises:
        TypeError: Not a module; at the first run, a module that returns a tuple without `output_index`.
        ValueError: A module for channels first, without `channels_first` being said.

    Example:
        >>> import torch, torchkeras_compat as keras
        >>> model = keras.Sequential([keras.layers.Input((4,)), torch.nn.Linear(4, 2)])
        >>> model.output_shape
        (None, 2)
    """

    supports_masking = True
    _class_traits = Traits(runs_user_code=True)
    _takes_trees = True

    def __init__(
        self,
        module: nn.Module,
        output_index: int | None = None,
        channels_first: bool | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise argument_error("TorchModuleWrapper", "module", "a torch.nn.Module", module, TypeError)
        super().__init__(name=name or f"{settings.snake_case(type(module).__name__)}_{id(module) % 1000}", **kwargs)
        self.module = module
        leaves = (m for m in module.modules() if next(m.children(), None) is None)
        self._takes_integers = isinstance(next(leaves, None), (nn.Embedding, nn.EmbeddingBag))
        self.output_index = output_index
        self.channels_first = channels_first

    def build(self, input_shape: Any) -> None:
        """Move the module to the device, check how it wants its input, and list its weights."""
        if len(input_shape) > 2 and self.channels_first is None:
            self._refuse_channels_first()
        self._may_write = may_write(self.module)
        self.module.to(torch.empty(0).device)
        for path, module in self.module.named_modules():
            prefix = f"{path}." if path else ""
            for name, parameter in module.named_parameters(recurse=False):
                self._enter_weight(prefix + name, module, name, trainable=parameter.requires_grad)
            for name, _ in module.named_buffers(recurse=False):
                self._enter_weight(prefix + name, module, name, trainable=False)

    def _refuse_channels_first(self) -> None:
        for module in self.module.modules():
            if isinstance(module, CHANNELS_FIRST):
                kind = type(module).__name__
                ours = next((f", or {name}" for base, name in COUNTERPARTS.items() if isinstance(module, base)), "")
                raise ValueError(
                    f"{self}: torch.nn.{kind} expects the channels on axis 1, and Keras has them last; write "
                    f"layers.TorchModuleWrapper(module, channels_first=True){ours}."
                )

    def call(self, inputs: Tensor, training: bool = False) -> Any:
        """Run the module in the mode asked for."""
        if self.module.training != training:
            self.module.train(training)
        if self._takes_integers and inputs.dtype not in (torch.int32, torch.int64):
            inputs = inputs.long()
        if self._may_write:
            inputs = inputs.clone()  # the memory may be the caller's
        y = self.module(inputs.movedim(-1, 1) if self.channels_first else inputs)
        if isinstance(y, (tuple, list)):
            if self.output_index is None:
                raise TypeError(
                    f"{self}: torch.nn.{type(self.module).__name__} returns a {type(y).__name__} of {len(y)}; write "
                    f"layers.TorchModuleWrapper(module, output_index=0) to take its first item."
                )
            y = y[self.output_index]
        return y.movedim(1, -1) if self.channels_first else y

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape found by running the module on zeros."""
        self._build_from(input_shape)
        state = {name: value.clone() for name, value in self.module.named_buffers()}
        shape = super().compute_output_shape(input_shape)
        for name, value in self.module.named_buffers():
            value.copy_(state[name])
        return shape
