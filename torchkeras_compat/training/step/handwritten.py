"""Training a chain of layers with its derivatives written out, instead of recorded and replayed by autograd.

For small models most of a step is spent on recording it.  The stages of a plain chain have their forward and backward
formulas beside each other, gradients are written where the optimizer reads them, and the loss is not computed at all
until somebody looks: its gradient is all that training needs.  `choose_handwritten.py` says which models are such
chains.

A stage is made from what its layer tells (`layers/base/gradient_facts.py`), and knows no layer.  It keeps what its
gradient needs from `forward` to `backward` and lets go of it there, so that memory is freed on the way back.  The
formulas are those of autograd; the tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from ... import activations
from ..._core.linear_products import affine, input_gradient, may_be_worth_onednn, weight_gradient
from ..._core.lookups import guarded, marked
from ...layers import conv1d_matmul
from ...layers.activation_gradients import ACTIVATION_GRADIENTS, LINEAR
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


class Chain:
    """The written-out step of a chain of layers.

    Args:
        stages: Forward and backward of each layer.
        gradient: The gradient of the summed loss at the last stage's output.
        params: The parameters whose gradients are wanted, in the optimizer's order.
    """

    def __init__(
        self, stages: Sequence[Stage], gradient: Callable[[Tensor, Tensor], Tensor], params: Sequence[Tensor]
    ) -> None:
        self.stages = list(stages)
        self.gradient = gradient
        self.params = list(params)
        self.grads: list[Tensor] = []

    @property
    def traceable(self) -> bool:
        """Whether it runs on stand-ins without numbers."""
        return all(stage.traceable for stage in self.stages)

    def write_to(self, grads: Sequence[Tensor]) -> None:
        """Have the gradients written into these tensors, one for each of `params`."""
        self.grads = list(grads)
        place = {id(p): g for p, g in zip(self.params, grads)}
        deeper = False  # whether some stage before this one has weights to train
        for stage in self.stages:
            stage.grads = [place[id(p)] for p in stage.params if id(p) in place]
            stage.needs_input_gradient = deeper
            deeper = deeper or bool(stage.grads)
        first = next((i for i, stage in enumerate(self.stages) if stage.grads), 0)
        self._backward = [stage.backward for stage in reversed(self.stages[first:])]
        self._forward = [stage.forward for stage in self.stages]

    def __call__(self, x: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        """Write the gradients of the mean loss of a batch, and return the logits."""
        for forward in self._forward:
            x = forward(x)
        d = self.gradient(y, x)
        if weight is None:
            d.mul_(1.0 / len(x))
        else:
            d.mul_(weight.reshape(-1, 1) / len(x))
        for backward in self._backward:
            d = backward(d)
        return x


# --- the gradient of a loss, at what its last activation is applied to -------------------------------------------


def softmax_gradient(y: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient of the summed categorical cross-entropy: softmax − y (whatever y sums to, as in Keras)."""
    return activations.over_classes(torch.softmax, logits).sub_(y)


def sparse_gradient(y: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient of the summed sparse categorical cross-entropy."""
    grad = activations.over_classes(torch.softmax, logits)
    indices, outside = guarded(y.reshape(-1, 1).long(), grad.shape[1])
    return grad.scatter_add_(1, indices, marked(torch.full_like(indices, -1, dtype=grad.dtype), outside))


def sigmoid_gradient(y: Tensor, logits: Tensor) -> Tensor:
    """Return the gradient of the binary cross-entropy, averaged over units and summed over rows."""
    return torch.sigmoid(logits).sub_(y).div_(logits.shape[-1])


def square_gradient(y: Tensor, y_pred: Tensor) -> Tensor:
    """Return the gradient of the squared error, averaged over units and summed over rows."""
    return (y_pred - y).mul_(2.0 / y_pred.shape[-1])


# --- the layers --------------------------------------------------------------------------------------------------


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
        traceable: Whether it runs on stand-ins without numbers.
    """

    small_only: ClassVar[bool] = False
    ends_chains: ClassVar[bool] = False
    traceable: ClassVar[bool] = True

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


class ActivatedStage(Stage):
    """A layer that ends in an activation function, which overwrites what it is applied to.

    Attributes:
        is_linear: Whether there is nothing to do for it.
        activate: Overwrites its argument and returns it.
        through: The kernel of (gradient of the value, value, *bounds) → gradient of the argument.
        bounds: Its further arguments.

    Raises:
        ValueError: The gradient of this activation is not written out.
    """

    def __init__(self, facts: GradientFacts, last: bool) -> None:
        super().__init__(facts, last)
        known = LINEAR if last else ACTIVATION_GRADIENTS[facts.activation]
        if known.in_place is None or known.through is None:
            raise ValueError(f"the gradient of {facts.activation} is not written out")
        self.is_linear = known is LINEAR
        self.activate, self.through, self.bounds = known.in_place, known.through, known.bounds


class DenseStage(ActivatedStage):
    """`activation(x · W + b)`."""

    ends_chains = True

    def __init__(self, facts: DenseFacts, last: bool) -> None:
        super().__init__(facts, last)
        self.params = [p for p in (facts.weight, facts.bias) if p is not None]
        self.weight = facts.weight.detach()
        self.transposed = self.weight.t()  # once: of few weights that is a seventh of the product
        self.by_onednn = may_be_worth_onednn(self.weight.numel())
        self.shift = None if facts.bias is None else facts.bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        """Return the output."""
        if self.by_onednn:
            z = affine(x, self.weight, self.shift)
        else:
            z = x @ self.transposed if self.shift is None else torch.addmm(self.shift, x, self.transposed)
        y = z if self.is_linear else self.activate(z)
        self.saved = x, y
        return y

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of kernel and bias."""
        x, y = self.release()
        dz = dy if self.is_linear else self.through(dy, y, *self.bounds)
        if self.grads:
            if self.by_onednn:  # asked here: of few weights no call more than torch's own
                weight_gradient(dz, x, out=self.grads[0])
            else:
                torch.mm(dz.t(), x, out=self.grads[0])
            if self.shift is not None:
                torch.sum(dz, 0, out=self.grads[1])
        if not self.needs_input_gradient:
            return dz
        return (input_gradient if self.by_onednn else torch.mm)(dz, self.weight)


class ActivationStage(ActivatedStage):
    """An activation function as a layer of its own."""

    ends_chains = True

    def forward(self, x: Tensor) -> Tensor:
        """Return the output; the layer before holds its own."""
        self.saved = x if self.is_linear else self.activate(x.clone())
        return self.saved  # type: ignore[no-any-return]

    def backward(self, dy: Tensor) -> Tensor:
        """Return the gradient of the input."""
        y = self.release()
        return dy if self.is_linear else self.through(dy, y, *self.bounds)


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


class ConvStage(ActivatedStage):
    """A convolution over sequences or images, with its activation."""

    small_only = True
    facts: ConvolutionFacts

    def __init__(self, facts: ConvolutionFacts, last: bool) -> None:
        super().__init__(facts, last)
        weight, bias, padding = facts.weight, facts.bias, facts.padding
        self.params = [p for p in (weight, bias) if p is not None]
        self.weight, self.bias = weight.detach(), None if bias is None else bias.detach()
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
        y = z if self.is_linear else self.activate(z)
        self.saved = x, windows, y
        return self.facts.to_keras(y)

    def backward(self, dy: Tensor) -> Tensor:
        """Write the gradients of kernel and bias."""
        x, windows, y = self.release()
        dz = self.facts.to_torch(dy)
        dz = dz if self.is_linear else self.through(dz, y, *self.bounds)
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
    traceable = False  # oneDNN's kernel gives its workspace to real tensors alone
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
