"""Forward and backward of single layers, written out; `handwritten.py` makes a training step of a chain of them.

A stage is made from what the layer tells (`layers/base/gradient_facts.py`), and knows no layer.

Each stage keeps what its gradient needs from `forward` to `backward` and lets go of it there, so that memory is freed
on the way back.  The formulas are those of autograd; the tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..._core.config import origin
from ...layers import conv1d_matmul
from ...layers.activation_gradients import ACTIVATION_GRADIENTS, LINEAR
from ...layers.base import Layer
from ...layers.base.gradient_facts import (
    ActivationFacts,
    AverageFacts,
    ConvolutionFacts,
    DenseFacts,
    DropoutFacts,
    FlattenFacts,
    GradientFacts,
    LSTMFacts,
    MaxPoolingFacts,
)
from ...layers.recurrent.onednn import onednn_lstm, onednn_lstm_backward

aten = torch.ops.aten


class Stage:
    """One layer of a chain.

    Args:
        facts: What the layer tells.
        last: Whether its activation belongs to the loss.

    Attributes:
        params: The parameters whose gradients `backward` writes.
        grads: Where it writes them, one for each of `params`; empty where the layer is not trained.
        needs_input_gradient: Whether a layer before is trained.
        small_only: Whether only models pay for which recording a step takes longer than computing it.
        ends_chains: Whether a loss can follow.
    """

    small_only: ClassVar[bool] = False
    ends_chains: ClassVar[bool] = False

    params: Sequence[Tensor] = ()
    grads: Sequence[Tensor] = ()
    needs_input_gradient: bool = True
    saved: Any = None

    def __init__(self, facts: Any, last: bool) -> None:
        self.facts = facts

    def forward(self, x: Tensor) -> Tensor:
        """Return the output, and keep what the gradient needs."""
        raise NotImplementedError

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of the weights and return that of the input, where it is needed."""
        raise NotImplementedError

    def release(self) -> Any:
        """Return what `forward` kept, and let go of it."""
        saved, self.saved = self.saved, None
        return saved


def _activation(facts: GradientFacts, last: bool) -> tuple[Callable[[Tensor], Tensor], Callable[..., Tensor]]:
    """Return the activation in place, and the way of a gradient through it: (gradient, output) → gradient."""
    known = LINEAR if last else ACTIVATION_GRADIENTS[facts.activation]
    if known.in_place is None or known.through is None:
        raise ValueError(f"the gradient of {facts.activation} is not written out")
    return known.in_place, known.through


class DenseStage(Stage):
    """`activation(x · W + b)`."""

    ends_chains = True

    def __init__(self, facts: DenseFacts, last: bool) -> None:
        self.params = [p for p in (facts.weight, facts.bias) if p is not None]
        self.transposed = facts.weight.detach().t()
        self.shift = None if facts.bias is None else facts.bias.detach()
        self.activate, self.through = _activation(facts, last)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output."""
        z = x @ self.transposed if self.shift is None else torch.addmm(self.shift, x, self.transposed)
        y = self.activate(z)
        self.saved = x, y
        return y

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of kernel and bias."""
        x, y = self.release()
        dz = self.through(dy, y)
        if self.grads:
            torch.mm(dz.t(), x, out=self.grads[0])
            if self.shift is not None:
                torch.sum(dz, 0, out=self.grads[1])
        return dz @ self.transposed.t() if self.needs_input_gradient else dz


class ActivationStage(Stage):
    """An activation function as a layer of its own."""

    ends_chains = True

    def __init__(self, facts: ActivationFacts, last: bool) -> None:
        self.is_linear = last or ACTIVATION_GRADIENTS[facts.activation] is LINEAR
        self.activate, self.through = _activation(facts, last)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output; the layer before holds its own."""
        self.saved = x if self.is_linear else self.activate(x.clone())
        return self.saved  # type: ignore[no-any-return]

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient of the input."""
        return self.through(dy, self.release())


class DropoutStage(Stage):
    """Dropout, with the mask that the layer draws."""

    facts: DropoutFacts

    def forward(self, x: Tensor) -> Tensor:
        """Return the thinned input."""
        self.saved = None if self.facts.draw_mask is None else self.facts.draw_mask(x)
        return x if self.saved is None else x * self.saved

    def backward(self, dy: Tensor) -> Tensor:
        """Return the thinned gradient."""
        mask = self.release()
        return dy if mask is None else dy * mask


class FlattenStage(Stage):
    """Flatten."""

    facts: FlattenFacts

    def forward(self, x: Tensor) -> Tensor:
        """Return the input with two axes."""
        self.saved = x.shape
        return self.facts.flatten(x)

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient in the input's shape."""
        return dy.reshape(self.release())


class ConvStage(Stage):
    """A convolution over sequences or images, with its activation."""

    small_only = True
    facts: ConvolutionFacts

    def __init__(self, facts: ConvolutionFacts, last: bool) -> None:
        super().__init__(facts, last)
        weight, bias, padding = facts.weight, facts.bias, facts.padding
        self.params = [p for p in (weight, bias) if p is not None]
        self.weight, self.bias = weight.detach(), None if bias is None else bias.detach()
        self.activate, self.through = _activation(facts, last)
        self.options = (facts.stride, padding, facts.dilation, False, [0] * len(padding), facts.groups)
        self.pad = padding[-1]
        self.bias_sizes = None if bias is None else list(bias.shape)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated convolution."""
        x, windows = self.facts.to_torch(x), None
        if self.facts.as_products(x, self.pad):
            flat, windows = conv1d_matmul.forward(x, self.weight, self.bias, self.pad)
            z = conv1d_matmul.in_torchs_order(flat, len(x))
        else:
            z = aten.convolution(x, self.weight, self.bias, *self.options)
        y = self.activate(z)
        self.saved = x, windows, y
        return self.facts.to_keras(y)

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of kernel and bias."""
        x, windows, y = self.release()
        dz = self.through(self.facts.to_torch(dy), y)
        trained = bool(self.grads)
        wanted = [self.needs_input_gradient, trained, trained and self.bias is not None]
        if windows is None:
            dx, *weights = aten.convolution_backward(dz, x, self.weight, self.bias_sizes, *self.options, wanted)
        else:
            flat = dz.squeeze(2).transpose(1, 2).reshape(-1, dz.shape[1])
            dx, *weights = conv1d_matmul.backward(flat, windows, self.weight, len(x), self.pad, wanted)
        for place, grad in zip(self.grads, weights):
            place.copy_(grad)
        return self.facts.to_keras(dx) if self.needs_input_gradient else dy


class MaxPoolingStage(Stage):
    """The largest value of each window of a sequence or an image."""

    facts: MaxPoolingFacts

    def __init__(self, facts: MaxPoolingFacts, last: bool) -> None:
        super().__init__(facts, last)
        self.options = (facts.window, facts.stride, [0, 0], [1, 1], False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the largest values."""
        x = self.facts.to_torch(x)
        y, places = aten.max_pool2d_with_indices(x, *self.options)
        self.saved = x, places
        return self.facts.to_keras(y)

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient, which goes to where the largest value was."""
        x, places = self.release()
        dy = self.facts.to_torch(dy)
        return self.facts.to_keras(aten.max_pool2d_with_indices_backward(dy, x, *self.options, places))


class AverageStage(Stage):
    """The mean of each channel."""

    facts: AverageFacts

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        self.saved = x.shape
        return x.mean(self.facts.axes)

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient, shared evenly."""
        shape: torch.Size = self.release()
        cells = 1
        for axis in self.facts.axes:
            dy, cells = dy.unsqueeze(axis), cells * shape[axis]
        return (dy / cells).expand(shape)


class LSTMStage(Stage):
    """An LSTM through oneDNN."""

    small_only = True
    facts: LSTMFacts

    def __init__(self, facts: LSTMFacts, last: bool) -> None:
        super().__init__(facts, last)
        self.params = facts.weights[: facts.trained]
        self.weights = [w.detach() for w in facts.weights]
        self.units = self.weights[1].shape[1]

    def forward(self, x: Tensor) -> Tensor:
        """Return the last output, or all of them."""
        facts, x = self.facts, x.transpose(0, 1).contiguous()
        if facts.states is None:
            start = [x.new_zeros(x.shape[1], self.units)] * 2
        else:
            start = [s.clone() for s in facts.states()]  # the kept ones are written over
        inputs = (x, *self.weights, *start)
        outputs = onednn_lstm(*inputs)
        if facts.states is not None:
            facts.keep(outputs[1:3])
        self.saved = inputs, outputs
        return outputs[0].transpose(0, 1) if facts.return_sequences else outputs[1]

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of kernels and bias."""
        inputs, outputs = self.release()
        zero = torch.zeros_like(outputs[1])
        if self.facts.return_sequences:
            grad, grad_h = dy.transpose(0, 1).contiguous(), zero
        else:
            grad, grad_h = torch.zeros_like(outputs[0]), dy
        dx, *weights = onednn_lstm_backward(inputs, outputs, grad, grad_h, zero)
        for place, gradient in zip(self.grads, weights):
            place.copy_(gradient)
        return dx.transpose(0, 1)


STAGES: dict[type[GradientFacts], type[Stage]] = {
    DenseFacts: DenseStage,
    ActivationFacts: ActivationStage,
    DropoutFacts: DropoutStage,
    FlattenFacts: FlattenStage,
    ConvolutionFacts: ConvStage,
    MaxPoolingFacts: MaxPoolingStage,
    AverageFacts: AverageStage,
    LSTMFacts: LSTMStage,
}


def gradient_facts(layer: Layer) -> GradientFacts | None:
    """Return what a layer tells for its written-out gradient, `None` where autograd has to find it.

    What a class tells counts for the class itself, and penalties are autograd's.
    """
    if "_gradient_facts" not in vars(origin(type(layer))) or layer.activity_regularizer is not None:
        return None
    return None if any(w.regularizer for w in layer._weight_table()) else layer._gradient_facts()


def has_written_gradient(activation: Any) -> bool:
    """Tell whether a stage can have this activation: it works in place, and its gradient is one kernel."""
    known = ACTIVATION_GRADIENTS.get(activation)
    return known is not None and known.in_place is not None and known.through is not None
