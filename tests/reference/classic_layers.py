"""The layers that only Keras 1 has, in numpy, read off `keras/layers` of Keras 1.2.2."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Function = Callable[..., Array]


def maxout_dense(x: Array, kernels: Array, biases: Array | None = None) -> Array:
    """The maximum over the first axis of the kernels (core.py, MaxoutDense.call)."""
    products = np.stack([x @ kernel for kernel in kernels])
    return (products if biases is None else products + biases[:, None]).max(0)


def highway(
    x: Array,
    kernel: Array,
    carry: Array,
    bias: Array | float = 0.0,
    bias_carry: Array | float = 0.0,
    activation: Function = lambda y: y,
) -> Array:
    """A dense layer and its input, mixed by a sigmoid (core.py, Highway.call)."""
    gate = 1 / (1 + np.exp(-(x @ carry + bias_carry)))
    return activation(x @ kernel + bias) * gate + (1 - gate) * x


def srelu(x: Array, t_left: Array, a_left: Array, t_right: Array, a_right: Array) -> Array:
    """Three straight pieces (advanced_activations.py, the formula of SReLU, whose right threshold is t_l + |t_r|)."""
    right = t_left + np.abs(t_right)
    below, above = t_left + a_left * (x - t_left), right + a_right * (x - right)
    return np.where(x >= right, above, np.where(x <= t_left, below, x))


def parametric_softplus(x: Array, alphas: Array, betas: Array) -> Array:
    """A scaled softplus (advanced_activations.py, ParametricSoftplus)."""
    return alphas * np.log1p(np.exp(betas * x))


def gradients(loss: Callable[..., float], weights: list[Array], step: float = 1e-6) -> list[Array]:
    """Return central differences of `loss(*weights)` along each number of each weight."""
    result = []
    for i, weight in enumerate(weights):
        slopes = np.zeros_like(weight)
        for place in np.ndindex(*weight.shape):
            ends = []
            for sign in (step, -step):
                moved = [w.copy() for w in weights]
                moved[i][place] += sign
                ends.append(loss(*moved))
            slopes[place] = (ends[0] - ends[1]) / (2 * step)
        result.append(slopes)
    return result
