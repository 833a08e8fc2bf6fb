"""What normalisations share: the moments of what counts, and what the normal numbers become."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def weighted_moments(x: Tensor, weights: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Return mean and variance over some axes, which stay with length 1, of numbers that count differently.

    Args:
        x: The numbers.
        weights: What each counts.
        axes: The axes.

    Source:
        `tf.nn.weighted_moments`, TensorFlow 2.15: where nothing counts, both are 0.
    """
    total = weights.sum(axes, keepdim=True)
    total = total + (total == 0)
    mean = (x * weights).sum(axes, keepdim=True) / total
    return mean, ((x - mean).square() * weights).sum(axes, keepdim=True) / total


def scaled(normal: Tensor, gamma: Tensor | None, beta: Tensor | None, shape: Sequence[int]) -> Tensor:
    """Return normal numbers times `gamma` and plus `beta`, where there are these.

    Args:
        normal: The numbers.
        gamma: The scale.
        beta: The offset.
        shape: In which scale and offset meet the numbers.
    """
    normal = normal if gamma is None else normal * gamma.view(shape)
    return normal if beta is None else normal + beta.view(shape)
