"""Forward and backward of single layers, written out; `explicit.py` makes a training step of a chain of them.

Each stage keeps what its gradient needs from `forward` to `backward` and lets go of it there, so that memory is freed
on the way back.  The formulas are those of autograd; the tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from ... import activations
from ..._core.config import origin
from ...layers import conv1d_matmul
from ...layers.base import Layer
from ...layers.convolutional import Conv, Conv1D, Conv2D
from ...layers.core import Activation, Dense, Dropout, Flatten
from ...layers.pooling import (
    GlobalAveragePooling,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    MaxPooling,
    MaxPooling1D,
    MaxPooling2D,
)
from ...layers.recurrent.base import runs_on_onednn
from ...layers.recurrent.layers import LSTM
from ...layers.recurrent.onednn import onednn_lstm, onednn_lstm_backward

aten = torch.ops.aten


@dataclass(frozen=True)
class Derived:
    """An activation function that works in place, and its gradient from its output.

    Attributes:
        forward: Applied to a tensor nobody else holds.
        backward: (gradient of the output, output) → gradient of the input.
    """

    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


LINEAR = Derived(lambda z: z, lambda dy, y: dy)
DERIVED: dict[Any, Derived] = {
    activations.linear: LINEAR,
    activations.relu: Derived(torch.relu_, lambda dy, y: aten.threshold_backward(dy, y, 0)),
    activations.tanh: Derived(torch.tanh_, aten.tanh_backward),
    activations.sigmoid: Derived(torch.sigmoid_, aten.sigmoid_backward),
}


class Stage:
    """One layer of a chain.

    Args:
        layer: The layer.
        last: Whether its activation belongs to the loss.

    Attributes:
        params: The parameters whose gradients `backward` writes.
        grads: Where it writes them, one for each of `params`; empty where the layer is not trained.
        needs_input_gradient: Whether a layer before is trained.
        small_only: Whether only models pay for which recording a step takes longer than computing it.
    """

    small_only: ClassVar[bool] = False

    params: Sequence[Tensor] = ()
    grads: Sequence[Tensor] = ()
    needs_input_gradient: bool = True
    saved: Any = None

    def __init__(self, layer: Any, last: bool) -> None:
        self.layer = layer

    @staticmethod
    def covers(layer: Any) -> bool:
        """Tell whether the layer, as it is set up, is one whose gradient is written out here."""
        return True

    def forward(self, x: Tensor) -> Tensor:
        """Return the output, and keep what the gradient needs."""
        raise NotImplementedError

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of the weights and return that of the input, where it is needed."""
        raise NotImplementedError

    def taken(self) -> Any:
        """Return what `forward` kept, and let go of it."""
        saved, self.saved = self.saved, None
        return saved


class DenseStage(Stage):
    """`activation(x · W + b)`."""

    def __init__(self, layer: Dense, last: bool) -> None:
        weight, bias = layer.linear.weight, layer.linear.bias
        self.params = [p for p in (weight, bias) if p is not None]
        self.transposed = weight.detach().t()
        self.shift = None if bias is None else bias.detach()
        self.derived = LINEAR if last else DERIVED[layer.activation]

    @staticmethod
    def covers(layer: Dense) -> bool:
        """Tell whether the input has two axes."""
        return len(layer._built_shape or ()) == 2

    def forward(self, x: Tensor) -> Tensor:
        """Return the output."""
        z = x @ self.transposed if self.shift is None else torch.addmm(self.shift, x, self.transposed)
        y = self.derived.forward(z)
        self.saved = x, y
        return y

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of kernel and bias."""
        x, y = self.taken()
        dz = self.derived.backward(dy, y)
        if self.grads:
            torch.mm(dz.t(), x, out=self.grads[0])
            if self.shift is not None:
                torch.sum(dz, 0, out=self.grads[1])
        return dz @ self.transposed.t() if self.needs_input_gradient else dz


class ActivationStage(Stage):
    """An activation function as a layer of its own."""

    def __init__(self, layer: Activation, last: bool) -> None:
        self.derived = LINEAR if last else DERIVED[layer.activation]

    def forward(self, x: Tensor) -> Tensor:
        """Return the output; the layer before holds its own."""
        self.saved = x if self.derived is LINEAR else self.derived.forward(x.clone())
        return self.saved  # type: ignore[no-any-return]

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient of the input."""
        return self.derived.backward(dy, self.taken())


class DropoutStage(Stage):
    """Dropout, with the mask that the layer draws."""

    @staticmethod
    def covers(layer: Dropout) -> bool:
        """Tell whether the mask has the input's shape and comes from the global generator."""
        return layer.noise_shape is None and layer.seed is None

    def forward(self, x: Tensor) -> Tensor:
        """Return the thinned input."""
        self.saved = self.layer.draw_mask(x) if self.layer.rate else None
        return x if self.saved is None else x * self.saved

    def backward(self, dy: Tensor) -> Tensor:
        """Return the thinned gradient."""
        mask = self.taken()
        return dy if mask is None else dy * mask


class FlattenStage(Stage):
    """Flatten."""

    @staticmethod
    def covers(layer: Flatten) -> bool:
        """Tell whether the axes keep their order."""
        return layer.data_format == "channels_last"

    def forward(self, x: Tensor) -> Tensor:
        """Return the input with two axes."""
        self.saved = x.shape
        return self.layer.call(x)  # type: ignore[no-any-return]

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient in the input's shape."""
        return dy.reshape(self.taken())


class ConvStage(Stage):
    """A convolution over sequences or images, with its activation."""

    small_only = True

    def __init__(self, layer: Conv, last: bool) -> None:
        super().__init__(layer, last)
        weight, bias = layer.conv.weight, layer.conv.bias
        self.params = [p for p in (weight, bias) if p is not None]
        self.weight, self.bias = weight.detach(), None if bias is None else bias.detach()
        self.derived = DERIVED[layer.activation]
        _, padding = layer._fixed_pads or ([], [])
        self.options = (layer._stride, padding, layer._dilation, False, [0] * len(padding), layer.groups)
        self.pad = padding[-1] if padding else 0
        self.bias_sizes = None if bias is None else list(bias.shape)

    @staticmethod
    def covers(layer: Conv) -> bool:
        """Tell whether torch's kernel pads, if anything does."""
        return layer._fixed_pads is not None and not layer._fixed_pads[0]

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated convolution."""
        x, windows = self.layer.to_torch(x), None
        if self.layer.as_products(x, self.pad):
            rows, windows = conv1d_matmul.forward(x, self.weight, self.bias, self.pad)
            z = conv1d_matmul.in_torchs_order(rows, len(x))
        else:
            z = aten.convolution(x, self.weight, self.bias, *self.options)
        y = self.derived.forward(z)
        self.saved = x, windows, y
        return self.layer.to_keras(y)  # type: ignore[no-any-return]

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of kernel and bias."""
        x, windows, y = self.taken()
        dz = self.derived.backward(self.layer.to_torch(dy), y)
        trained = bool(self.grads)
        wanted = [self.needs_input_gradient, trained, trained and self.bias is not None]
        if windows is None:
            dx, *found = aten.convolution_backward(dz, x, self.weight, self.bias_sizes, *self.options, wanted)
        else:
            rows = dz.squeeze(2).transpose(1, 2).reshape(-1, dz.shape[1])
            dx, *found = conv1d_matmul.backward(rows, windows, self.weight, len(x), self.pad, wanted)
        for place, grad in zip(self.grads, found):
            place.copy_(grad)
        return self.layer.to_keras(dx) if self.needs_input_gradient else dy


class MaxPoolingStage(Stage):
    """The largest value of each window of a sequence or an image."""

    def __init__(self, layer: MaxPooling, last: bool) -> None:
        super().__init__(layer, last)
        self.options = (layer._window, layer._stride, [0, 0], [1, 1], False)

    @staticmethod
    def covers(layer: MaxPooling) -> bool:
        """Tell whether no window hangs over an edge."""
        return layer.padding == "valid"

    def forward(self, x: Tensor) -> Tensor:
        """Return the largest values."""
        x = self.layer.to_torch(x)
        y, places = aten.max_pool2d_with_indices(x, *self.options)
        self.saved = x, places
        return self.layer.to_keras(y)  # type: ignore[no-any-return]

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient, which goes to where the largest value was."""
        x, places = self.taken()
        dy = self.layer.to_torch(dy)
        return self.layer.to_keras(  # type: ignore[no-any-return]
            aten.max_pool2d_with_indices_backward(dy, x, *self.options, places)
        )


class GlobalAveragePoolingStage(Stage):
    """The mean of each channel."""

    @staticmethod
    def covers(layer: GlobalAveragePooling) -> bool:
        """Tell whether the axes that are averaged go."""
        return not layer.keepdims

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        self.saved = x.shape
        return x.mean(self.layer.space)

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient, shared evenly."""
        shape: torch.Size = self.taken()
        cells = 1
        for axis in self.layer.space:
            dy, cells = dy.unsqueeze(axis), cells * shape[axis]
        return (dy / cells).expand(shape)


class LSTMStage(Stage):
    """An LSTM through oneDNN."""

    small_only = True

    def __init__(self, layer: LSTM, last: bool) -> None:
        super().__init__(layer, last)
        rnn = layer.rnn
        self.params = [rnn.weight_ih_l0, rnn.weight_hh_l0, *([rnn.bias_ih_l0] if layer.use_bias else [])]
        self.weights = [w.detach() for w in rnn._flat_weights]
        if not layer.use_bias:
            self.weights += [self.weights[0].new_zeros(4 * layer.units)] * 2

    @staticmethod
    def covers(layer: LSTM) -> bool:
        """Tell whether oneDNN's kernel computes the whole layer."""
        turned = layer.go_backwards or layer.time_major or layer.return_state
        plain = not (turned or layer.dropout or layer.recurrent_dropout)
        return plain and layer._torch_name is not None and runs_on_onednn(layer.rnn.weight_ih_l0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the last output, or all of them."""
        layer, x = self.layer, x.transpose(0, 1).contiguous()
        if layer.stateful:
            start = [s.clone() for s in layer.states]  # the kept ones are written over
        else:
            start = [x.new_zeros(x.shape[1], layer.units)] * 2
        inputs = (x, *self.weights, *start)
        outputs = onednn_lstm(*inputs)
        layer._keep(outputs[1:3])
        self.saved = inputs, outputs
        return outputs[0].transpose(0, 1) if layer.return_sequences else outputs[1]

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of kernels and bias."""
        inputs, outputs = self.taken()
        zero = torch.zeros_like(outputs[1])
        if self.layer.return_sequences:
            grad, grad_h = dy.transpose(0, 1).contiguous(), zero
        else:
            grad, grad_h = torch.zeros_like(outputs[0]), dy
        dx, *found = onednn_lstm_backward(inputs, outputs, grad, grad_h, zero)
        for place, gradient in zip(self.grads, found):
            place.copy_(gradient)
        return dx.transpose(0, 1)


STAGES: dict[type[Layer], type[Stage]] = {
    Dense: DenseStage,
    Activation: ActivationStage,
    Dropout: DropoutStage,
    Flatten: FlattenStage,
    Conv1D: ConvStage,
    Conv2D: ConvStage,
    MaxPooling1D: MaxPoolingStage,
    MaxPooling2D: MaxPoolingStage,
    GlobalAveragePooling1D: GlobalAveragePoolingStage,
    GlobalAveragePooling2D: GlobalAveragePoolingStage,
    LSTM: LSTMStage,
}


def stage_of(layer: Layer) -> type[Stage] | None:
    """Return the stage that computes a layer, penalties and all; `None` where none does."""
    stage = STAGES.get(origin(type(layer)))
    plain = layer.activity_regularizer is None and not any(w.regularizer for w in layer._weight_table())
    return stage if stage is not None and plain and stage.covers(layer) else None
