"""Activations, cross-entropies and normalisation as functions of the backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .. import activations
from .._core import dialects
from .._core.operations import operation
from . import crossentropy

relu = operation(activations.relu)
elu = operation(activations.elu)
softmax = operation(activations.softmax)
softplus = operation(activations.softplus)
softsign = operation(activations.softsign)
sigmoid = operation(activations.sigmoid)
hard_sigmoid = operation(activations.hard_sigmoid)
tanh = operation(activations.tanh)


@operation
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """Return the binary cross-entropy, element by element.

    Args:
        target: 0, 1 or between.
        output: Probabilities, which are kept within epsilon of 0 and 1, or logits.
        from_logits: Whether `output` is logits.

    Source:
        `keras.backend.binary_crossentropy`, Keras 2.15; 2.2.4 in its dialect.

    Example:
        >>> binary_crossentropy([1.0], [0.5])
        tensor([0.6931])
    """
    return crossentropy.binary(*_floats(target, output), from_logits, dialects.current().rules.binary_through_logits)


@operation
def binary_focal_crossentropy(
    target: Tensor,
    output: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> Tensor:
    """Return the binary cross-entropy with easy samples weighed down, element by element.

    Args:
        target: 0, 1 or between.
        output: Probabilities or logits.
        apply_class_balancing: Whether to weigh ones by `alpha` and zeros by `1 - alpha`.
        alpha: That weight.
        gamma: How strongly easy samples are weighed down.
        from_logits: Whether `output` is logits.

    Source:
        Lin et al., 2017; `keras.backend.binary_focal_crossentropy`, Keras 2.15.

    Example:
        >>> binary_focal_crossentropy([1.0], [0.5])
        tensor([0.1733])
    """
    pair = _floats(target, output)
    return crossentropy.binary_focal(*pair, apply_class_balancing, alpha, gamma, from_logits)


@operation
def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    """Return the cross-entropy of distributions over `axis`.

    Args:
        target: Distributions, such as one-hot rows.
        output: Probabilities, which are divided by their sum and kept within epsilon of 0 and 1, or logits.
        from_logits: Whether `output` is logits.
        axis: The axis of the classes.

    Raises:
        ValueError: The shapes differ.

    Source:
        `keras.backend.categorical_crossentropy`, Keras 2.15.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.6931])
    """
    _same_shape("categorical_crossentropy", target, output)
    return crossentropy.categorical(*_floats(target, output), from_logits, axis)


@operation
def categorical_focal_crossentropy(
    target: Tensor,
    output: Tensor,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    axis: int = -1,
) -> Tensor:
    """Return the cross-entropy over `axis` with easy classes weighed down.

    Args:
        target: Distributions, such as one-hot rows.
        output: Probabilities or logits.
        alpha: A factor.
        gamma: How strongly easy classes are weighed down.
        from_logits: Whether `output` is logits.
        axis: The axis of the classes.

    Raises:
        ValueError: The shapes differ.

    Source:
        Lin et al., 2017; `keras.backend.categorical_focal_crossentropy`, Keras 2.15.

    Example:
        >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.0433])
    """
    _same_shape("categorical_focal_crossentropy", target, output)
    return crossentropy.categorical_focal(*_floats(target, output), alpha, gamma, from_logits, axis)


@operation
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Tensor:
    """Return the cross-entropy of class indices.

    Args:
        target: Indices, in the shape of `output` without its class axis, which may also be there with length 1.
        output: Probabilities or logits.
        from_logits: Whether `output` is logits.
        axis: The axis of the classes.
        ignore_class: An index that counts as 0.

    Source:
        `keras.backend.sparse_categorical_crossentropy`, Keras 2.15.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        tensor([0.6931])
    """
    return crossentropy.sparse(target, output, from_logits, axis, ignore_class)


def _floats(target: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
    return target.to(output.dtype), output


def _same_shape(owner: str, target: Tensor, output: Tensor) -> None:
    if target.shape != output.shape:
        raise ValueError(
            f"{owner}: target and output must have one shape; got {tuple(target.shape)} and {tuple(output.shape)}."
        )


@operation
def batch_normalization(
    x: Tensor,
    mean: Tensor,
    var: Tensor,
    beta: Tensor | None,
    gamma: Tensor | None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Tensor:
    """Return `(x - mean) / sqrt(var + epsilon) * gamma + beta`.

    Args:
        x: Any tensor.
        mean: Of each channel.
        var: Of each channel.
        beta: Of each channel, 0 if `None`.
        gamma: Of each channel, 1 if `None`.
        axis: The axis of the channels.
        epsilon: Keeps the root from 0.

    Example:
        >>> batch_normalization([[2.0]], [1.0], [4.0], [0.5], [1.0], epsilon=0.0)
        tensor([[1.]])
    """
    shape = [1] * x.ndim
    shape[axis] = -1

    def aligned(t: Tensor) -> Tensor:
        return t.reshape(shape) if t.ndim == 1 and axis not in (-1, x.ndim - 1) else t

    scale = torch.rsqrt(aligned(var) + epsilon)
    scale = scale if gamma is None else scale * aligned(gamma)
    y = (x - aligned(mean)) * scale
    return y if beta is None else y + aligned(beta)


@operation
def normalize_batch_in_training(
    x: Tensor, gamma: Tensor | None, beta: Tensor | None, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> Any:
    """Return `x` normalised by the batch's own mean and variance, and those two.

    Args:
        x: Any tensor.
        gamma: Of each channel, 1 if `None`.
        beta: Of each channel, 0 if `None`.
        reduction_axes: The axes that are averaged over.
        epsilon: Keeps the root from 0.

    Returns:
        The normalised tensor, the mean and the variance. As in Keras, the variance of images with channels last is the
        unbiased one, and no gradient flows through it or the mean.

    Example:
        >>> y, mean, var = normalize_batch_in_training([[1.0], [3.0]], None, None, [0], epsilon=0.0)
        >>> y[:, 0], mean, var
        (tensor([-1.,  1.]), tensor([2.]), tensor([1.]))
    """
    axes = sorted(a % x.ndim for a in reduction_axes)
    var, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
    broadcast = [n if i not in axes else 1 for i, n in enumerate(x.shape)]
    scale = torch.rsqrt(var + epsilon)
    scale = scale if gamma is None else scale * gamma.reshape(broadcast)
    y = (x - mean) * scale
    y = y if beta is None else y + beta.reshape(broadcast)
    count = x.numel() // max(var.numel(), 1)
    if x.ndim == 4 and axes == [0, 1, 2]:  # the kernel that Keras takes for images
        mean, var = mean.detach(), var.detach() * (count / max(count - 1, 1))
    return y, mean.squeeze(axes), var.squeeze(axes)


@operation
def in_top_k(predictions: Tensor, targets: Tensor, k: int) -> Tensor:
    """Return whether each target is among the `k` largest predictions; equal ones count as among them.

    Args:
        predictions: `(batch, classes)`.
        targets: Class indices, `(batch,)`.
        k: How many.

    Example:
        >>> in_top_k([[0.1, 0.6, 0.3]], [2], 2)
        tensor([True])
    """
    indices = targets.long()
    known = (indices >= 0) & (indices < predictions.shape[-1])
    own = predictions.gather(-1, indices.where(known, torch.zeros_like(indices)).unsqueeze(-1))
    return ((predictions > own).sum(-1) < k) & own.squeeze(-1).isfinite() & known
