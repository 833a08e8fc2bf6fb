"""What layers tell about themselves where gradients are written out by hand instead of recorded by autograd.

A layer answers `_gradient_facts()` with one of these records, or with `None` where its gradient, as it is set up, is
not written out.  The formulas stand with the training step; they know the records and no layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ... import activations


@dataclass(frozen=True, kw_only=True)
class GradientFacts:
    """Base of the records.

    Attributes:
        activation: The activation function that the layer ends in.
    """

    activation: Any = activations.linear


@dataclass(frozen=True, kw_only=True)
class DenseFacts(GradientFacts):
    """`activation(x · Wᵀ + b)` of an input with two axes, with torch's weight and bias."""

    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True, kw_only=True)
class ActivationFacts(GradientFacts):
    """An activation function by itself."""


@dataclass(frozen=True, kw_only=True)
class DropoutFacts(GradientFacts):
    """A mask, drawn for an input, that multiplies it; `None` where nothing is dropped."""

    draw_mask: Callable[[Tensor], Tensor] | None


@dataclass(frozen=True, kw_only=True)
class FlattenFacts(GradientFacts):
    """The function that makes one axis of all axes but the batch."""

    flatten: Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class ConvolutionFacts(GradientFacts):
    """A convolution that torch's kernel pads, over sequences (as images of height 1) or images.

    Attributes:
        weight: torch's weight.
        bias: torch's bias.
        stride: For each axis of torch's convolution.
        padding: The same.
        dilation: The same.
        groups: Into how many groups the channels are split.
        to_torch: Gives a tensor in Keras's order of axes that of torch.
        to_keras: The way back.
        as_products: (input in torch's order, padding) → whether products of matrices are faster.
    """

    weight: Tensor
    bias: Tensor | None
    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int]
    groups: int
    to_torch: Callable[[Tensor], Tensor]
    to_keras: Callable[[Tensor], Tensor]
    as_products: Callable[[Tensor, int], bool]


@dataclass(frozen=True, kw_only=True)
class MaxPoolingFacts(GradientFacts):
    """The largest value of windows that lie within a sequence (as an image of height 1) or an image."""

    window: Sequence[int]
    stride: Sequence[int]
    to_torch: Callable[[Tensor], Tensor]
    to_keras: Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class AverageFacts(GradientFacts):
    """The mean over some axes, which go."""

    axes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class LSTMFacts(GradientFacts):
    """An LSTM that oneDNN's kernel computes as a whole.

    Attributes:
        weights: torch's kernels and biases.
        trained: How many of them training changes; the others are zero.
        return_sequences: Whether all outputs are returned.
        states: Returns the kept states of a stateful layer; `None` where there are none.
        keep: Keeps the last states of a stateful layer.
    """

    weights: Sequence[Tensor]
    trained: int
    return_sequences: bool
    states: Callable[[], Sequence[Tensor]] | None
    keep: Callable[[Sequence[Tensor]], None]
