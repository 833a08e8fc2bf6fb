"""Activation functions: plain functions of a tensor, one torch kernel each on their default arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ._core import registry
from ._core.bounds import clip
from ._core.errors import argument_error
from ._core.operations import of_one_tensor

Activation = Callable[..., Tensor]

_SELU_SCALE = 1.0507009873554805


@registry.register("activation")
@of_one_tensor
def linear(x: Tensor) -> Tensor:
    """Return `x` itself.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Example:
        >>> linear(torch.tensor([-1.0, 2.0]))
        tensor([-1.,  2.])
    """
    return x


@registry.register("activation")
@of_one_tensor
def relu(x: Tensor, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """Return the rectified linear unit: `x` above `threshold`, at most `max_value`, with slope `alpha` below.

    Args:
        x: Any tensor.
        alpha: Slope below the threshold.
        max_value: Upper bound, `None` for none.
        threshold: Where the unit begins; below it the value is `alpha * (x - threshold)`.

    Shape:
        Any; the output has the shape of the input.

    Source:
        `keras.activations.relu`, Keras 2.15.

    Example:
        >>> relu(torch.tensor([-2.0, 0.5, 8.0]), alpha=0.5, max_value=6)
        tensor([-1.0000,  0.5000,  6.0000])
    """
    if threshold == 0 and max_value is None:
        return F.relu(x) if alpha == 0 else F.leaky_relu(x, alpha)
    if threshold == 0 and max_value == 6:
        positive = F.relu6(x)  # as in Keras: with this bound alone the gradient at it is 0
    else:
        positive = F.relu(x) if threshold == 0 else torch.where(x > threshold, x, 0)
        positive = positive if max_value is None else clip(positive, 0, max_value)
    return positive if alpha == 0 else positive - alpha * F.relu(threshold - x)


@registry.register("activation")
@of_one_tensor
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return the exponential linear unit: `x` above zero, `alpha * (exp(x) - 1)` below.

    Args:
        x: Any tensor.
        alpha: What the value tends to, with the sign turned, far below zero.

    Shape:
        Any; the output has the shape of the input.

    Source:
        Clevert, Unterthiner & Hochreiter, 2015.

    Example:
        >>> elu(torch.tensor([0.0, 3.0]))
        tensor([0., 3.])
    """
    return F.elu(x, alpha)


@registry.register("activation")
@of_one_tensor
def selu(x: Tensor) -> Tensor:
    """Return the scaled exponential linear unit: `1.0507 * elu(x, 1.6733)`.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Source:
        Klambauer, Unterthiner, Mayr & Hochreiter, 2017.

    Example:
        >>> selu(torch.tensor([0.0, 1.0]))
        tensor([0.0000, 1.0507])
    """
    # torch takes the slope at exactly zero, which padded input has everywhere, from the left; Keras from the right.
    return torch.where(x == 0, x * _SELU_SCALE, F.selu(x))


@registry.register("activation")
@of_one_tensor
def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """Return the Gaussian error linear unit: `x` times the normal distribution function at `x`.

    Args:
        x: Any tensor.
        approximate: Whether to take the formula with `tanh` instead.

    Shape:
        Any; the output has the shape of the input.

    Source:
        Hendrycks & Gimpel, 2016.

    Example:
        >>> gelu(torch.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8413])
    """
    return F.gelu(x, approximate="tanh" if approximate else "none")


@registry.register("activation")
@of_one_tensor
def mish(x: Tensor) -> Tensor:
    """Return `x * tanh(softplus(x))`.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Source:
        Misra, 2019.

    Example:
        >>> mish(torch.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8651])
    """
    return F.mish(x)


@registry.register("activation", "silu")
@of_one_tensor
def swish(x: Tensor) -> Tensor:
    """Return `x * sigmoid(x)`.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Source:
        Ramachandran, Zoph & Le, 2017.

    Example:
        >>> swish(torch.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7311])
    """
    return F.silu(x)


silu = swish


@registry.register("activation")
@of_one_tensor
def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Example:
        >>> tanh(torch.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7616])
    """
    return torch.tanh(x)


@registry.register("activation")
@of_one_tensor
def sigmoid(x: Tensor) -> Tensor:
    """Return the logistic function `1 / (1 + exp(-x))`.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Example:
        >>> sigmoid(torch.tensor([0.0, 1.0]))
        tensor([0.5000, 0.7311])
    """
    return torch.sigmoid(x)


@registry.register("activation")
@of_one_tensor
def hard_sigmoid(x: Tensor) -> Tensor:
    """Return `0.2 * x + 0.5`, bounded to [0, 1]: the logistic function in three straight pieces.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Source:
        `keras.activations.hard_sigmoid`, Keras 2.15 (torch's `hardsigmoid` has slope 1/6 instead).

    Example:
        >>> hard_sigmoid(torch.tensor([-3.0, 0.0, 1.0]))
        tensor([0.0000, 0.5000, 0.7000])
    """
    return clip(x * 0.2 + 0.5, 0, 1)


@registry.register("activation")
@of_one_tensor
def exponential(x: Tensor) -> Tensor:
    """Return `exp(x)`.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Example:
        >>> exponential(torch.tensor([0.0, 1.0]))
        tensor([1.0000, 2.7183])
    """
    return torch.exp(x)


@registry.register("activation")
@of_one_tensor
def softplus(x: Tensor) -> Tensor:
    """Return `log(exp(x) + 1)`.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Example:
        >>> softplus(torch.tensor([0.0, 1.0]))
        tensor([0.6931, 1.3133])
    """
    return F.softplus(x)


@registry.register("activation")
@of_one_tensor
def softsign(x: Tensor) -> Tensor:
    """Return `x / (abs(x) + 1)`.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Example:
        >>> softsign(torch.tensor([-1.0, 3.0]))
        tensor([-0.5000,  0.7500])
    """
    return F.softsign(x)


@registry.register("activation")
@of_one_tensor
def softmax(x: Tensor, axis: int | Sequence[int] = -1) -> Tensor:
    """Return `exp(x)` divided by its sum over `axis`.

    Args:
        x: A tensor of two axes or more.
        axis: The axis, or the axes, along which the values sum to one.

    Shape:
        `(batch, …)`; the output has the shape of the input.

    Raises:
        ValueError: `x` has one axis only, so that nothing tells the batch from the classes.

    Example:
        >>> softmax(torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
        tensor([[0.5000, 0.5000],
                [0.2689, 0.7311]])
    """
    if x.ndim < 2:
        raise argument_error("softmax", "x", "a tensor of two axes or more, such as x[None, :]", x)
    if isinstance(axis, int):
        last = axis in (-1, x.ndim - 1)
        return over_classes(torch.softmax, x).contiguous() if last else torch.softmax(x, axis)
    return torch.exp(x - torch.logsumexp(x, tuple(axis), keepdim=True))


NARROW, MANY = 16, 64  # below so many classes, and from so many rows on, a softmax on the CPU is turned


def over_classes(function: Callable[[Tensor, int], Tensor], x: Tensor) -> Tensor:
    """Return `function`, torch's softmax or log_softmax, over the last axis.

    Over a short last axis torch's kernel on the CPU takes up to ten times what it takes over the first one (measured on
    2.13: 1.33 ms and .14 ms for 8,192 rows of 10), so a few classes are turned; the result is then a view.

    Args:
        function: `torch.softmax` or `torch.log_softmax`.
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Example:
        >>> over_classes(torch.softmax, torch.zeros(100, 4))[0].tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    if x.ndim == 2 and x.device.type == "cpu" and not torch.compiler.is_compiling():
        rows, classes = x.shape
        # In a trace a size may stand for any number, and a branch on it would fix the graph to one side.
        if type(rows) is type(classes) is int and classes < NARROW and rows >= MANY:
            return function(x.t().contiguous(), 0).t()
    return function(x, -1)


@registry.register("activation")
@of_one_tensor
def leaky_relu(x: Tensor, alpha: float = 0.2) -> Tensor:
    """Return `x` above zero, `alpha * x` below.

    Args:
        x: Any tensor.
        alpha: The slope below zero.

    Shape:
        Any; the output has the shape of the input.

    Source:
        `keras.activations.get('leaky_relu')`, Keras 2.15.

    Example:
        >>> leaky_relu(torch.tensor([-1.0, 2.0]))
        tensor([-0.2000,  2.0000])
    """
    return F.leaky_relu(x, alpha)


@registry.register("activation")
@of_one_tensor
def relu6(x: Tensor) -> Tensor:
    """Return `x`, bounded to [0, 6].

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Source:
        `keras.activations.get('relu6')`, Keras 2.15.

    Example:
        >>> relu6(torch.tensor([-1.0, 2.0, 8.0]))
        tensor([0., 2., 6.])
    """
    return clip(x, 0, 6)


@registry.register("activation")
@of_one_tensor
def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return the logarithm of the softmax.

    Args:
        x: Any tensor.
        axis: The axis along which the exponentials sum to one.

    Shape:
        Any; the output has the shape of the input.

    Source:
        `keras.activations.get('log_softmax')`, Keras 2.15.

    Example:
        >>> log_softmax(torch.zeros(1, 2))
        tensor([[-0.6931, -0.6931]])
    """
    return F.log_softmax(x, axis)


@registry.register("activation")
@of_one_tensor
def hard_sigmoid_keras3(x: Tensor) -> Tensor:
    """Return `(x + 3) / 6`, bounded to [0, 1]: what Keras 3 calls `hard_sigmoid`.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Source:
        `keras.activations.hard_sigmoid`, Keras 3.15; `hard_sigmoid` is that of Keras 1 and 2 here.

    Example:
        >>> hard_sigmoid_keras3(torch.tensor([-3.0, 0.0, 1.5]))
        tensor([0.0000, 0.5000, 0.7500])
    """
    return clip(x / 6 + 0.5, 0, 1)


@registry.register("activation", "hard_swish")
@of_one_tensor
def hard_silu(x: Tensor) -> Tensor:
    """Return `x * (x + 3) / 6`, where the factor behind `x` is bounded to [0, 1].

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Source:
        `keras.activations.hard_silu`, Keras 3.15.

    Example:
        >>> hard_silu(torch.tensor([-3.0, 1.5]))
        tensor([-0.0000,  1.1250])
    """
    return x * clip(x / 6 + 0.5, 0, 1)


@registry.register("activation")
@of_one_tensor
def log_sigmoid(x: Tensor) -> Tensor:
    """Return the logarithm of the logistic function.

    Args:
        x: Any tensor.

    Shape:
        Any; the output has the shape of the input.

    Source:
        `keras.activations.log_sigmoid`, Keras 3.15.

    Example:
        >>> log_sigmoid(torch.zeros(1))
        tensor([-0.6931])
    """
    return F.logsigmoid(x)


@registry.register("activation")
@of_one_tensor
def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """Return `x` above zero, `alpha * (exp(x / alpha) - 1)` below.

    Args:
        x: Any tensor.
        alpha: The bound below, and how fast it is reached.

    Shape:
        Any; the output has the shape of the input.

    Source:
        `keras.activations.celu`, Keras 3.15.

    Example:
        >>> celu(torch.tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.0000])
    """
    return F.celu(x, alpha)


# Layers whose names Keras 2.15 takes for activations. As strings, those that a function above equals stand for it, so
# that a final 'Softmax' is fused with the loss; configurations may hold other options.
_LAYERS = {"LeakyReLU": True, "PReLU": True, "ThresholdedReLU": True, "ELU": False, "ReLU": False, "Softmax": False}


def get(identifier: Any) -> Activation:
    """Return the activation that a name, a configuration or a callable stands for; `None` is `linear`.

    Args:
        identifier: Such as `'relu'`, `'LeakyReLU'`, `torch.tanh`, `torch.nn.GELU()`, a layer such as `LeakyReLU(0.1)`
            or `None`.

    Raises:
        ValueError: An unknown name.

    Example:
        >>> get('softmax').__name__
        'softmax'
    """
    name, by_config = (identifier.get("class_name"), True) if isinstance(identifier, dict) else (identifier, False)
    as_layer = isinstance(name, str) and name in _LAYERS and (by_config or _LAYERS[name])
    activation: Activation = registry.get("layer" if as_layer else "activation", identifier)
    return activation


def serialize(activation: Any, use_legacy_format: bool = False) -> Any:
    """Return the name (or the configuration) that `get` turns back into `activation`.

    Args:
        activation: An activation function.
        use_legacy_format: Accepted for Keras's sake: the name is the same in both formats.

    Example:
        >>> serialize(relu)
        'relu'
    """
    return registry.serialize("activation", activation)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None, use_legacy_format: bool = False) -> Activation:
    """Return the activation that a name or configuration stands for.

    Args:
        name: What `serialize` returned.
        custom_objects: Functions of your own, by name.
        use_legacy_format: Accepted for Keras's sake: both formats are read.

    Example:
        >>> deserialize('halve', custom_objects={'halve': lambda x: x / 2})(3.0)
        1.5
    """
    with registry.custom_object_scope(custom_objects):
        return get(name)
